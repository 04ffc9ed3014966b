/* How many sessions each client and each network has open: a counting sketch of two rows, shared by all
 * threads without a lock. It may count too many when clients collide in both rows, never too few; the hash is
 * keyed, so that nobody can choose to collide. */
#pragma once

#include "conf/snapshot.h"

#include <stdatomic.h>

struct client_table {
        uint64_t key;
        size_t mask;
        _Atomic uint32_t *rows[2]; /* mask + 1 counts each */
};

/* What one socket counts in. */
struct client_seat {
        uint8_t prefix;         /* of the client: 128, or 64 of an IPv6 address; 0: it does not count */
        uint8_t network_prefix; /* in the form of struct network; 0: its network does not count */
};

/* Sized for about `sessions` open at a time. False when memory is out. */
bool client_table_init(struct client_table *table, size_t sessions);
void client_table_end(struct client_table *table);
/* Counts one more, and gives the count with it. Clients of one `prefix` count together. */
uint32_t client_table_count(struct client_table *table, const struct address *client, uint8_t prefix);
void client_table_uncount(struct client_table *table, const struct address *client, uint8_t prefix);
/* Takes a seat for the client, under the limits of these options. NULL, or the name of the one that is
 * reached: then nothing is taken. */
const char *client_table_enter(struct client_table *table, const struct address *client,
                               const struct options *options, struct client_seat *ret_seat);
void client_table_leave(struct client_table *table, const struct address *client,
                        const struct client_seat *seat);
