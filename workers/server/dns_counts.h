/* Tells the log, now and then, how cache and resolvers do: event `dns`, one number for each row of
 * dns/metrics.def. */
#pragma once

#include <stdint.h>

struct server;

/* Owner: the main thread. */
struct dns_report {
        uint64_t due_ms; /* 0: not yet known */
};

/* Once a second: writes when the interval of the configuration has passed. */
void dns_report_look(struct dns_report *report, struct server *server, uint64_t now_ms);
void dns_report_say(struct server *server);
