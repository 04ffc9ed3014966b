/* Most of what is reworded are alerts, of which OpenSSL does not say that it was the client who sent them. OpenSSL's
 * words stay in brackets, so that they can be looked up. core/smtp/handshake.c counts by words in these texts. */
#include "workers/tls/reasons.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <openssl/x509_vfy.h>
#include <stddef.h>
#include <stdlib.h>

/* Said of a client, and of a next hop. */
#define ALIKE(text)                                                                                          \
        {                                                                                                    \
                text, text                                                                                   \
        }
#define OF_PEER(before, text)                                                                                \
        {                                                                                                    \
                before "the client" text, before "the next hop" text                                         \
        }

static const struct {
        int reason;
        const char *text[REASONS_OF];
} plain[] = {
    /* What it has sent instead of TLS. */
    {SSL_R_WRONG_VERSION_NUMBER, ALIKE("what came is no TLS (wrong version number)")},
    {SSL_R_PACKET_LENGTH_TOO_LONG, ALIKE("what came is no TLS (packet length too long)")},
    {SSL_R_HTTP_REQUEST, ALIKE("what came is no TLS (http request)")},
    {SSL_R_UNSUPPORTED_PROTOCOL, ALIKE("no version in common (unsupported protocol)")},
    /* What it has told us by an alert. */
    {SSL_R_SSLV3_ALERT_UNEXPECTED_MESSAGE,
     OF_PEER("", " did not expect our message (alert unexpected message)")},
    {SSL_R_SSLV3_ALERT_BAD_RECORD_MAC, OF_PEER("", " could not open what we sent (alert bad record mac)")},
    {SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE,
     OF_PEER("", " has nothing in common with us (alert handshake failure)")},
    {SSL_R_SSLV3_ALERT_BAD_CERTIFICATE,
     OF_PEER("", " does not take our certificate (alert bad certificate)")},
    {SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE,
     OF_PEER("", " cannot use our certificate (alert unsupported certificate)")},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED,
     OF_PEER("to ", " our certificate is revoked (alert certificate revoked)")},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
     OF_PEER("to ", " our certificate has expired (alert certificate expired)")},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN,
     OF_PEER("", " does not take our certificate (alert certificate unknown)")},
    {SSL_R_SSLV3_ALERT_ILLEGAL_PARAMETER,
     OF_PEER("", " does not understand what we said (alert illegal parameter)")},
    {SSL_R_TLSV1_ALERT_UNKNOWN_CA,
     OF_PEER("", " does not know who has signed our certificate (alert unknown ca)")},
    {SSL_R_TLSV1_ALERT_DECODE_ERROR, OF_PEER("", " does not understand what we said (alert decode error)")},
    {SSL_R_TLSV1_ALERT_DECRYPT_ERROR, OF_PEER("", " could not verify what we said (alert decrypt error)")},
    {SSL_R_TLSV1_ALERT_PROTOCOL_VERSION,
     OF_PEER("", " wants another version of TLS (alert protocol version)")},
    {SSL_R_TLSV1_ALERT_INTERNAL_ERROR, OF_PEER("", " has failed by itself (alert internal error)")},
    /* What a client cannot be shown. */
    {SSL_R_NOT_REPLACING_CERTIFICATE,
     ALIKE("another certificate beside it has the same kind of key: a client could be shown one only")},
    {SSL_R_CA_KEY_TOO_SMALL, ALIKE("a certificate of its chain has a key that is too small: RSA needs 2048 "
                                   "bits at least, and ECDSA 224")},
    {SSL_R_CA_MD_TOO_WEAK,
     ALIKE("a certificate of this file is signed with a digest that is too weak, such as SHA-1")},
};

const char *tls_reason(unsigned long error, enum reason_of peer)
{
        for (size_t i = 0; ERR_GET_LIB(error) == ERR_LIB_SSL && i < sizeof plain / sizeof plain[0]; i++)
                if (ERR_GET_REASON(error) == plain[i].reason)
                        return plain[i].text[peer];
        return ERR_reason_error_string(error);
}

/* ---- certificates -------------------------------------------------------------------------------------- */

static const struct {
        long result;
        const char *text;
} verifications[] = {
    {X509_V_ERR_CERT_HAS_EXPIRED, "its certificate, or one above that, has expired"},
    {X509_V_ERR_CERT_NOT_YET_VALID, "its certificate, or one above that, is not valid yet"},
    {X509_V_ERR_HOSTNAME_MISMATCH, "its certificate is for another name"},
    {X509_V_ERR_IP_ADDRESS_MISMATCH, "its certificate is not for this address"},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
     "its certificate is signed by itself, and nobody else vouches for it"},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "its certificate is signed by an authority that we do not trust"},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "who has signed its certificate we do not know"},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, "who has signed its certificate we do not know"},
    {X509_V_ERR_INVALID_PURPOSE, "its certificate is not for servers"},
};

const char *tls_verification_reason(long result)
{
        for (size_t i = 0; i < sizeof verifications / sizeof verifications[0]; i++)
                if (result == verifications[i].result)
                        return verifications[i].text;
        return X509_verify_cert_error_string(result);
}

/* ---- memory -------------------------------------------------------------------------------------------- */

static _Thread_local bool has_failed;

/* Nothing is NULL, as OpenSSL has it by itself. */
static void *watched_malloc(size_t size, const char *file, int line)
{
        void *memory = size == 0 ? NULL : malloc(size);

        (void)file, (void)line;
        has_failed |= memory == NULL && size > 0;
        return memory;
}

static void *watched_realloc(void *before, size_t size, const char *file, int line)
{
        if (before == NULL || size == 0) {
                free(before);
                return watched_malloc(size, file, line);
        }
        void *memory = realloc(before, size);
        has_failed |= memory == NULL;
        return memory;
}

static void unwatched_free(void *memory, const char *file, int line)
{
        (void)file, (void)line;
        free(memory);
}

void tls_memory_watch(void)
{
        CRYPTO_set_mem_functions(watched_malloc, watched_realloc, unwatched_free);
}

bool tls_memory_has_failed(void)
{
        bool answer = has_failed;

        has_failed = false;
        return answer;
}
