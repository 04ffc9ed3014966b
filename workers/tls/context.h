/* What TLS needs of OpenSSL for one snapshot: a context for each set of certificates, and which of them a client gets
 * for the name that it asks for (SNI, RFC 6066 3). They are published together with the snapshot, and whoever pins the
 * one pins the other. */
#pragma once

#include "conf/complaints.h"
#include "conf/snapshot.h"
#include "workers/thread/publication.h"

#include <openssl/types.h>

struct tls_certificate;
struct tls_contexts;
struct tls_tickets;

enum tls_moment {
        TLS_AT_START,  /* what has expired is a warning: better an expired certificate than no mail */
        TLS_AT_RELOAD, /* it is an error, unless it is in force already */
        TLS_AT_CHECK,  /* it is an error */
};

/* Reads the certificates and keys that the snapshot names, with the secrets for tickets, and checks them. Files that
 * are as they were for `before`, which may be NULL, are not read again. NULL with complaints when there is any error;
 * NULL without, when the snapshot has no TLS. It blocks on files. `tickets` must outlive the result and may be NULL:
 * then there are no tickets. */
struct tls_contexts *tls_contexts_load(const struct snapshot *snapshot, const struct tls_contexts *before,
                                       struct tls_tickets *tickets, enum tls_moment moment,
                                       struct conf_complaints *complaints);
/* A struct tls_contexts, or NULL; a destructor for published_accompany(). */
void tls_contexts_free(void *contexts);

/* The contexts of a snapshot that the caller has pinned; NULL without TLS. */
static inline const struct tls_contexts *tls_contexts_of(const struct published *published)
{
        return published->companion;
}

/* A new connection's SSL, which has no BIO and has not begun; the caller's. NULL when memory is out. `contexts` must
 * stay pinned as long as it lives. Ciphers, versions, groups, tickets and modes are set: RELEASE_BUFFERS,
 * ACCEPT_MOVING_WRITE_BUFFER, no renegotiation, no compression, and an end of file without close_notify is as one with
 * it (SSL_OP_IGNORE_UNEXPECTED_EOF). Any thread, which is registered with RCU while there are tickets. */
SSL *tls_contexts_new_ssl(const struct tls_contexts *contexts);

/* The secrets for tickets were read anew with `contexts`, which are in force now. The publisher calls it. */
void tls_contexts_use_tickets(const struct tls_contexts *contexts);

/* The certificates that a client which asks for `name` is shown, one for each kind of key; returns how many. */
size_t tls_contexts_shown(const struct tls_contexts *contexts, struct span name,
                          struct tls_certificate *ret_certificates[static TLS_KINDS_MAX]);
/* All certificates, each of them once. */
size_t tls_contexts_certificate_count(const struct tls_contexts *contexts);
struct tls_certificate *tls_contexts_certificate(const struct tls_contexts *contexts, size_t index);
