/* How many sessions each client has open: a counting sketch of two rows, shared by all threads without a
 * lock. It may count too many when clients collide in both rows, never too few; the hash is keyed, so that
 * nobody can choose to collide. */
#pragma once

#include "core/base/address.h"

#include <stdatomic.h>

struct client_table {
        uint64_t key;
        size_t mask;
        _Atomic uint32_t *rows[2]; /* mask + 1 counts each */
};

/* Sized for about `sessions` open at a time. False when memory is out. */
bool client_table_init(struct client_table *table, size_t sessions);
void client_table_end(struct client_table *table);
/* Counts one more, and gives the count with it. IPv6 clients count by their /64. */
uint32_t client_table_enter(struct client_table *table, const struct address *client);
void client_table_leave(struct client_table *table, const struct address *client);
