/* How this server speaks TLS, with clients and as one. Ciphers are those of Mozilla's intermediate configuration, less
 * DHE, by which a client could have the server compute for milliseconds. */
#include "workers/tls/identity.h"

#include "workers/tls/reasons.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#define CIPHERS                                                                                              \
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"           \
        "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
/* For clients of TLS 1.0 and 1.1, which know no others. */
#define CIPHERS_OF_OLD                                                                                       \
        ":ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:"          \
        "AES128-SHA:AES256-SHA"
#define CIPHERS_1_3 "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"

#define GROUPS "X25519:P-256:P-384"
/* OpenSSL 3.5 and later; those before refuse the list. */
#define GROUPS_HYBRID "X25519MLKEM768:" GROUPS

#define SECURITY_LEVEL        2 /* keys of 112 bits at least; the default of OpenSSL since 3.2 */
#define SECURITY_LEVEL_OF_OLD 0 /* TLS 1.0 and 1.1 need MD5 with SHA-1, which all other levels forbid */

static const unsigned char session_context[] = "gatepost"; /* tickets are ours, whichever context made them */

bool tls_settings_equal(const struct tls_settings *left, const struct tls_settings *right)
{
        return left->minimum == right->minimum && left->asks_clients == right->asks_clients &&
               left->has_tickets == right->has_tickets && left->ticket_lifetime_s == right->ticket_lifetime_s;
}

bool tls_identity_equals(const struct tls_identity *left, const struct tls_identity *right)
{
        if (left->count != right->count)
                return false;
        for (size_t i = 0; i < left->count; i++)
                if (left->certificates[i] != right->certificates[i])
                        return false;
        return true;
}

static bool set_versions(SSL_CTX *context, enum tls_version minimum)
{
        static const int versions[] = {
            [TLS_1_0] = TLS1_VERSION,
            [TLS_1_1] = TLS1_1_VERSION,
            [TLS_1_2] = TLS1_2_VERSION,
            [TLS_1_3] = TLS1_3_VERSION,
        };
        bool is_old = minimum < TLS_1_2;

        SSL_CTX_set_security_level(context, is_old ? SECURITY_LEVEL_OF_OLD : SECURITY_LEVEL);
        return SSL_CTX_set_min_proto_version(context, versions[minimum]) == 1 &&
               SSL_CTX_set_max_proto_version(context, 0) == 1 &&
               SSL_CTX_set_cipher_list(context, is_old ? CIPHERS CIPHERS_OF_OLD : CIPHERS) == 1 &&
               SSL_CTX_set_ciphersuites(context, CIPHERS_1_3) == 1 &&
               (SSL_CTX_set1_groups_list(context, GROUPS_HYBRID) == 1 ||
                SSL_CTX_set1_groups_list(context, GROUPS) == 1);
}

static void set_options(SSL_CTX *context)
{
        SSL_CTX_set_options(context,
                            SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
#ifdef SSL_OP_NO_RX_CERTIFICATE_COMPRESSION
        SSL_CTX_set_options(context,
                            SSL_OP_NO_RX_CERTIFICATE_COMPRESSION | SSL_OP_NO_TX_CERTIFICATE_COMPRESSION);
#endif
        SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

bool tls_identity_set_terms(SSL_CTX *context, enum tls_version minimum)
{
        set_options(context);
        return set_versions(context, minimum);
}

/* Whatever a client shows is taken. */
static int verify_nothing(X509_STORE_CTX *store, void *argument)
{
        (void)store;
        (void)argument;
        return 1;
}

static void set_client_certificates(SSL_CTX *context, bool asks_clients)
{
        SSL_CTX_set_verify(context, asks_clients ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
        SSL_CTX_set_cert_verify_callback(context, verify_nothing, NULL);
}

/* No session is kept here: tickets hold all of it. */
static bool set_tickets(SSL_CTX *context, const struct tls_settings *settings,
                        const struct tls_callbacks *callbacks)
{
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_num_tickets(context, settings->has_tickets ? 1 : 0);
        SSL_CTX_set_timeout(context, (long)settings->ticket_lifetime_s);
        if (!settings->has_tickets)
                SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
        else
                SSL_CTX_set_tlsext_ticket_key_evp_cb(context, callbacks->ticket_key);
        return SSL_CTX_set_session_id_context(context, session_context, sizeof session_context - 1) == 1;
}

static bool set_all(SSL_CTX *context, const struct tls_settings *settings,
                    const struct tls_callbacks *callbacks)
{
        set_client_certificates(context, settings->asks_clients);
        SSL_CTX_set_tlsext_servername_callback(context, callbacks->server_name);
        return tls_identity_set_terms(context, settings->minimum) &&
               set_tickets(context, settings, callbacks);
}

static void complain(struct conf_complaints *complaints, const struct tls_certificate *certificate,
                     const char *fault)
{
        conf_complain(complaints, COMPLAINT_ERROR, &(struct place){certificate->path, 0}, "%s", fault);
}

bool tls_identity_show(SSL_CTX *context, const struct tls_certificate *certificate,
                       struct conf_complaints *complaints)
{
        ERR_clear_error();
        if (SSL_CTX_use_cert_and_key(context, certificate->leaf, certificate->key, certificate->chain, 0) ==
            1)
                return true;
        unsigned long error = ERR_peek_last_error();
        const char *reason = tls_reason(error, REASON_OF_CLIENT);
        if (ERR_GET_REASON(error) == SSL_R_EE_KEY_TOO_SMALL)
                conf_complain(complaints, COMPLAINT_ERROR, &(struct place){certificate->path, 0},
                              "its key is too small (%s): RSA needs 2048 bits at least, and ECDSA 224",
                              certificate->kind);
        else
                complain(complaints, certificate, reason == NULL ? "cannot be used" : reason);
        ERR_clear_error();
        return false;
}

bool tls_identity_open(struct tls_identity *identity, const struct tls_settings *settings,
                       const struct tls_callbacks *callbacks, struct conf_complaints *complaints)
{
        SSL_CTX *context = SSL_CTX_new(TLS_server_method());
        bool is_open = context != NULL && set_all(context, settings, callbacks);

        if (!is_open)
                complain(complaints, identity->certificates[0],
                         "cannot be served: OpenSSL has no memory, or lacks what TLS needs");
        for (size_t i = 0; is_open && i < identity->count; i++)
                is_open = tls_identity_show(context, identity->certificates[i], complaints);
        if (is_open) {
                identity->context = context;
                return true;
        }
        SSL_CTX_free(context);
        ERR_clear_error();
        return false;
}
