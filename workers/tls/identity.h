/* Certificates that are shown together, one for each kind of key, and the SSL_CTX that shows them. */
#pragma once

#include "conf/snapshot.h"
#include "workers/tls/certificate.h"
#include "workers/tls/context.h"

#include <openssl/types.h>

/* What all contexts of a snapshot have in common. */
struct tls_settings {
        enum tls_version minimum;
        bool asks_clients, has_tickets;
        uint64_t ticket_lifetime_s;
};

struct tls_identity {
        SSL_CTX *context;
        struct tls_certificate *certificates[TLS_KINDS_MAX]; /* borrowed */
        size_t count;
};

/* The callbacks of all contexts. */
struct tls_callbacks {
        int (*server_name)(SSL *ssl, int *alert, void *argument);
        int (*ticket_key)(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                          EVP_MAC_CTX *mac, int is_new);
};

bool tls_settings_equal(const struct tls_settings *left, const struct tls_settings *right);
/* True when both show the same certificates in the same order. */
bool tls_identity_equals(const struct tls_identity *left, const struct tls_identity *right);
/* Versions, ciphers, groups and options, as a server's or as a client's. False when OpenSSL has no memory, or lacks
 * what TLS needs. */
bool tls_identity_set_terms(SSL_CTX *context, enum tls_version minimum);
/* The context is to show this certificate, with its chain and its key. False with a complaint. */
bool tls_identity_show(SSL_CTX *context, const struct tls_certificate *certificate,
                       struct conf_complaints *complaints);
/* Makes the context for the certificates that are set. False with a complaint. */
bool tls_identity_open(struct tls_identity *identity, const struct tls_settings *settings,
                       const struct tls_callbacks *callbacks, struct conf_complaints *complaints);
