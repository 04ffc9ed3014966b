/* A record names what it vouches for as a whole or by a digest. */
#include "workers/tls/tlsa.h"

#include <openssl/evp.h>

enum usage { USAGE_AUTHORITY = 2, USAGE_ITSELF = 3 };
enum selector { SELECT_CERTIFICATE = 0, SELECT_KEY = 1 };
enum matching { MATCH_WHOLE = 0, MATCH_SHA256 = 1, MATCH_SHA512 = 2 };

/* The octets of a certificate or of its key, to be freed; NULL when memory is out, or the selector unknown. */
static unsigned char *select_octets(X509 *certificate, unsigned char selector, int *ret_length)
{
        unsigned char *octets = NULL;

        *ret_length = selector == SELECT_CERTIFICATE ? i2d_X509(certificate, &octets)
                      : selector == SELECT_KEY ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &octets)
                                               : -1;
        return *ret_length > 0 ? octets : NULL;
}

static bool matches(const unsigned char *octets, size_t length, unsigned char matching, struct span expected)
{
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned size = 0;

        if (matching == MATCH_WHOLE)
                return span_equals(span_of((const char *)octets, length), expected);
        if (matching > MATCH_SHA512)
                return false;
        return EVP_Digest(octets, length, digest, &size,
                          matching == MATCH_SHA256 ? EVP_sha256() : EVP_sha512(), NULL) == 1 &&
               span_equals(span_of((const char *)digest, size), expected);
}

static bool vouches_for(struct span record, X509 *certificate)
{
        int length;
        unsigned char *octets = select_octets(certificate, (unsigned char)record.at[1], &length);
        bool is_match = octets != NULL &&
                        matches(octets, (size_t)length, (unsigned char)record.at[2], span_skip(record, 3));
        OPENSSL_free(octets);
        return is_match;
}

bool tlsa_matches(const struct tls_certificate *certificate, struct span record)
{
        if (record.length < 4)
                return false;
        if (record.at[0] == USAGE_ITSELF)
                return vouches_for(record, certificate->leaf);
        if (record.at[0] != USAGE_AUTHORITY)
                return false;
        for (int i = 0; i < sk_X509_num(certificate->chain); i++)
                if (vouches_for(record, sk_X509_value(certificate->chain, i)))
                        return true;
        return false;
}

void tlsa_put(const struct tls_certificate *certificate, struct text *text)
{
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned size = 0;
        int length;
        unsigned char *octets = select_octets(certificate->leaf, SELECT_KEY, &length);

        if (octets != NULL)
                EVP_Digest(octets, (size_t)length, digest, &size, EVP_sha256(), NULL);
        OPENSSL_free(octets);
        text_printf(text, "%d %d %d ", USAGE_ITSELF, SELECT_KEY, MATCH_SHA256);
        text_put_hex(text, digest, size);
}
