/* Tells the log, now and then, how cache and resolvers do: event `dns`, one number for each row of
 * dns/metrics.def. */
#pragma once

#include <stdint.h>

struct server;

/* Owner: the main thread. */
struct dns_counts {
        uint64_t due_ms; /* 0: not yet known */
};

/* Once a second: writes when the interval of the configuration has passed. */
void dns_counts_look(struct dns_counts *counts, struct server *server, uint64_t now_ms);
void dns_counts_log(struct server *server);
