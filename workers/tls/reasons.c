/* Most of what is reworded are alerts, of which OpenSSL does not say that it was the client who sent them. OpenSSL's
 * words stay in brackets, so that they can be looked up. core/smtp/handshake.c counts by words in these texts. */
#include "workers/tls/reasons.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <stddef.h>

static const struct {
        int reason;
        const char *text;
} plain[] = {
    /* What a client has sent instead of TLS. */
    {SSL_R_WRONG_VERSION_NUMBER, "what came is no TLS (wrong version number)"},
    {SSL_R_PACKET_LENGTH_TOO_LONG, "what came is no TLS (packet length too long)"},
    {SSL_R_HTTP_REQUEST, "what came is no TLS (http request)"},
    {SSL_R_UNSUPPORTED_PROTOCOL, "no version in common (unsupported protocol)"},
    /* What it has told us by an alert. */
    {SSL_R_SSLV3_ALERT_UNEXPECTED_MESSAGE,
     "the client did not expect our message (alert unexpected message)"},
    {SSL_R_SSLV3_ALERT_BAD_RECORD_MAC, "the client could not open what we sent (alert bad record mac)"},
    {SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE,
     "the client has nothing in common with us (alert handshake failure)"},
    {SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "the client does not take our certificate (alert bad certificate)"},
    {SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE,
     "the client cannot use our certificate (alert unsupported certificate)"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED,
     "to the client our certificate is revoked (alert certificate revoked)"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
     "to the client our certificate has expired (alert certificate expired)"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN,
     "the client does not take our certificate (alert certificate unknown)"},
    {SSL_R_SSLV3_ALERT_ILLEGAL_PARAMETER,
     "the client does not understand what we said (alert illegal parameter)"},
    {SSL_R_TLSV1_ALERT_UNKNOWN_CA,
     "the client does not know who has signed our certificate (alert unknown ca)"},
    {SSL_R_TLSV1_ALERT_DECODE_ERROR, "the client does not understand what we said (alert decode error)"},
    {SSL_R_TLSV1_ALERT_DECRYPT_ERROR, "the client could not verify what we said (alert decrypt error)"},
    {SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "the client wants another version of TLS (alert protocol version)"},
    {SSL_R_TLSV1_ALERT_INTERNAL_ERROR, "the client has failed by itself (alert internal error)"},
    /* What a client cannot be shown. */
    {SSL_R_NOT_REPLACING_CERTIFICATE,
     "another certificate beside it has the same kind of key: a client could be shown one only"},
    {SSL_R_CA_KEY_TOO_SMALL,
     "a certificate of its chain has a key that is too small: RSA needs 2048 bits at least, and ECDSA 224"},
    {SSL_R_CA_MD_TOO_WEAK,
     "a certificate of this file is signed with a digest that is too weak, such as SHA-1"},
};

const char *tls_reason(unsigned long error)
{
        for (size_t i = 0; ERR_GET_LIB(error) == ERR_LIB_SSL && i < sizeof plain / sizeof plain[0]; i++)
                if (ERR_GET_REASON(error) == plain[i].reason)
                        return plain[i].text;
        return ERR_reason_error_string(error);
}
