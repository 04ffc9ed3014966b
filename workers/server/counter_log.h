/* Tells the log what all threads have counted: the events `counters` and `dns`, now and then and when asked. */
#pragma once

#include "core/smtp/metrics.h"
#include "workers/server/dns_counts.h"
#include "workers/thread/publication.h"

/* Owner: the main thread. */
struct counter_log {
        struct publication *publication;
        const struct counters_list *counters;
        const struct dns_counts *dns;
        struct log_writer *log;
        uint64_t due_ms; /* 0: not yet known */
};

/* Called once a second. It writes when the interval of the configuration has passed. */
void counter_log_look(struct counter_log *counters, uint64_t now_ms);
/* Writes at once. */
void counter_log_write(const struct counter_log *counters);
