/* Whose handshakes of TLS have failed of late: a table of fixed size that all threads use without a lock. Who has no
 * room in it is forgotten early, which costs a handshake more and nothing else. The hash is keyed: nobody can choose
 * whom to push out. */
#pragma once

#include "core/base/address.h"

#include <stdatomic.h>

#define TLS_NO_GO_WAYS 8

/* Each word: half a name, and until when in seconds; 0: free. */
struct tls_no_go_set {
        _Alignas(64) _Atomic uint64_t words[TLS_NO_GO_WAYS];
};

struct tls_no_go {
        struct tls_no_go_set *sets;
        uint64_t set_count, key;
};

/* `memory` consists of zeros, is aligned to 64 octets, stays the caller's, and has room for at least one set. */
void tls_no_go_init(struct tls_no_go *table, void *memory, size_t size, uint64_t key);
/* The client is in the table for `keep_ms` from now. It is one address, of IPv6 too: hosters put strangers into one
 * /64, and none of them must be able to keep the mail of the others from TLS. */
void tls_no_go_add(const struct tls_no_go *table, const struct address *client, uint64_t now_ms,
                   uint64_t keep_ms);
/* Everybody leaves it. */
void tls_no_go_forget(const struct tls_no_go *table);
bool tls_no_go_has(const struct tls_no_go *table, const struct address *client, uint64_t now_ms);
