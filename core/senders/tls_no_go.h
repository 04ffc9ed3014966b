/* Whose handshakes of TLS have failed of late. Who has no room in the table is forgotten early, which costs a handshake
 * more and nothing else. */
#pragma once

#include "core/base/address.h"
#include "core/base/until/until.h"

struct tls_no_go {
        struct until_table table;
        uint64_t key;
};

/* `memory` as for until_init(). */
void tls_no_go_init(struct tls_no_go *table, void *memory, size_t size, uint64_t key);
/* The client is in the table for `keep_ms` from now. It is one address, of IPv6 too: hosters put strangers into one
 * /64, and none of them must be able to keep the mail of the others from TLS. */
void tls_no_go_add(const struct tls_no_go *table, const struct address *client, uint64_t now_ms,
                   uint64_t keep_ms);
/* Everybody leaves it. */
void tls_no_go_forget(const struct tls_no_go *table);
bool tls_no_go_has(const struct tls_no_go *table, const struct address *client, uint64_t now_ms);
