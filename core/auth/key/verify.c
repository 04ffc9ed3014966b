/* A key is given to OpenSSL as its numbers: its own parser takes 120 us for what takes 6 so. */
#include "core/auth/key/verify.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

/* Numbers of OpenSSL's parameters are in the order of the machine. */
static void native(const uint8_t *big_endian, size_t length, uint8_t *ret_octets)
{
        for (size_t i = 0; i < length; i++)
                ret_octets[i] = big_endian[__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? length - 1 - i : i];
}

static EVP_PKEY *rsa_key(const struct auth_key *key)
{
        uint8_t modulus[KEY_OCTETS_MAX], exponent[KEY_OCTETS_MAX];
        EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
        EVP_PKEY *made = NULL;
        OSSL_PARAM parameters[] = {
            OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, modulus, key->modulus_length),
            OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, exponent, key->exponent_length),
            OSSL_PARAM_construct_end(),
        };

        native(key->octets + key->modulus_at, key->modulus_length, modulus);
        native(key->octets + key->exponent_at, key->exponent_length, exponent);
        if (context != NULL && EVP_PKEY_fromdata_init(context) == 1 &&
            EVP_PKEY_fromdata(context, &made, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
                made = NULL;
        EVP_PKEY_CTX_free(context);
        return made;
}

static enum verified rsa_verify(EVP_PKEY *key, const uint8_t *digest, struct span signature)
{
        EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
        enum verified verified = VERIFIED_NOT;

        if (context != NULL && EVP_PKEY_verify_init(context) == 1 &&
            EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
            EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1)
                verified = EVP_PKEY_verify(context, (const unsigned char *)signature.at, signature.length,
                                           digest, AUTH_DIGEST_SIZE) == 1
                               ? VERIFIED_GOOD
                               : VERIFIED_BAD;
        EVP_PKEY_CTX_free(context);
        return verified;
}

static enum verified ed25519_verify(EVP_PKEY *key, const uint8_t *digest, struct span signature)
{
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        enum verified verified = VERIFIED_NOT;

        if (context != NULL && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1)
                verified = EVP_DigestVerify(context, (const unsigned char *)signature.at, signature.length,
                                            digest, AUTH_DIGEST_SIZE) == 1
                               ? VERIFIED_GOOD
                               : VERIFIED_BAD;
        EVP_MD_CTX_free(context);
        return verified;
}

enum verified signature_verify(const struct auth_key *key, const uint8_t digest[static AUTH_DIGEST_SIZE],
                               struct span signature)
{
        EVP_PKEY *made = key->kind == KEY_RSA
                             ? rsa_key(key)
                             : EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->octets, key->length);
        enum verified verified = VERIFIED_NOT;

        if (made != NULL)
                verified = key->kind == KEY_RSA ? rsa_verify(made, digest, signature)
                                                : ed25519_verify(made, digest, signature);
        EVP_PKEY_free(made);
        ERR_clear_error();
        return verified;
}
