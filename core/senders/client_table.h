/* How many sessions each client and each network has open. All threads share it without a lock; it may count too
 * many, never too few. */
#pragma once

#include "conf/snapshot.h"
#include "core/base/sketch.h"

struct client_table {
        struct sketch sketch;
};

/* What one session counts in. */
struct client_seat {
        uint8_t prefix;         /* of the client: 128, or 64 of an IPv6 address; 0: it does not count */
        uint8_t network_prefix; /* in the form of struct network; 0: its network does not count */
};

/* Limits for a client and for its network. 0: any. */
struct client_limits {
        uint64_t client, network;
};

/* Sized for about `sessions` open at a time. `key`: a secret. False when memory is out. */
bool client_table_init(struct client_table *table, size_t sessions, uint64_t key);
void client_table_end(struct client_table *table);
/* Counts one more, and gives the count with it. Clients of one `prefix` count together. */
uint32_t client_table_count(struct client_table *table, const struct address *client, uint8_t prefix);
void client_table_uncount(struct client_table *table, const struct address *client, uint8_t prefix);
/* What counts as the client, and as its network. Where both are the same, the lower limit counts for the
 * client, and its network does not count. */
struct client_seat client_seat_of(const struct address *client, const struct options *options,
                                  struct client_limits *limits);
/* Takes a seat for the client, under the limits of these options. NULL, or the name of the one that is
 * reached: then nothing is taken. */
const char *client_table_enter(struct client_table *table, const struct address *client,
                               const struct options *options, struct client_seat *ret_seat);
void client_table_leave(struct client_table *table, const struct address *client,
                        const struct client_seat *seat);
