/* TLS of connections on which we are the client: to next hops, and to Redis. */
#pragma once

#include "conf/complaints.h"
#include "conf/snapshot.h"
#include "core/base/address.h"

#include <openssl/ssl.h>

/* What lets the next connection to the same peer do without a whole handshake. Zero: nothing. Owner: one thread. */
struct tls_resumption {
        SSL_SESSION *session;
        SSL_CTX *context; /* by which its peer was verified */
};

struct tls_client_wish {
        const char *name;              /* that the certificate is to be for; NULL: the address */
        const struct address *address; /* with a name: not looked at */
        bool is_demanded;              /* a handshake with a peer that cannot be verified fails */
        /* Used if it is of this context, and renewed as the peer gives more; outlives the SSL. NULL: each handshake is
         * a whole one. */
        struct tls_resumption *resumption;
};

/* Reads what section next_hops names: the certificates that next hops are verified by, and our own. NULL with
 * complaints; NULL without when no next hop is spoken to by TLS. Any thread may use it. It blocks on files. */
SSL_CTX *tls_client_open(const struct snapshot *snapshot, struct conf_complaints *complaints);
/* The same for others than next hops, who must be verified by the certificates of this file. NULL with complaints. */
SSL_CTX *tls_client_open_for(const char *authorities, struct conf_complaints *complaints);
/* A new connection's, without a BIO; the caller's. NULL when memory is out. */
SSL *tls_client_new_ssl(SSL_CTX *context, const struct tls_client_wish *wish);
/* Why the peer's certificate is not verified, a static text; NULL: it is. After a handshake, or a failed one. */
const char *tls_client_fault(const SSL *ssl);
void tls_resumption_forget(struct tls_resumption *resumption);
