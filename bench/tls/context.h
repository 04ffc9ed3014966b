/* Contexts of OpenSSL: the servers' as gatepost's own is (workers/tls/identity.c), and the clients'. */
#pragma once

#include "core/base/text.h"

#include <openssl/types.h>

/* What clients of a workload want; zeros: TLS 1.3, ECDSA, a full handshake. */
struct tls_wishes {
        bool is_1_2;
        bool is_rsa;
        bool is_resumed; /* all but the first handshake of a thread */
};

/* Takes one word of "1.2", "1.3", "ecdsa", "rsa", "full" and "resumed"; false for any other. */
bool tls_wishes_take(struct tls_wishes *wishes, struct span word);

/* With the certificates of FOLDER, see keys.h. Both end the program when it cannot be, and SSL_CTX_free() frees it. */
SSL_CTX *tls_server_context(const char *folder);
/* It trusts everybody, takes one kind of certificate only, and keeps no session by itself. */
SSL_CTX *tls_client_context(const struct tls_wishes *wishes);
