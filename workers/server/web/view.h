/* What the pages are made of: the parts of the server that they read, and what was looked at since. */
#pragma once

#include "workers/inbound/accept/acceptor.h"
#include "workers/journal/journal.h"
#include "workers/senders/board.h"
#include "workers/server/web/health.h"
#include "workers/server/web/news.h"
#include "workers/server/web/refused.h"
#include "workers/server/web/samples.h"
#include "workers/shadow/shadow.h"
#include "workers/tls/context.h"

/* What the thread of HTTP reads. All of it outlives the thread. */
struct web_parts {
        struct publication *publication;
        uint32_t pinner;
        const struct counters_list *counters;
        const struct worker *workers;
        uint32_t worker_count;
        const struct acceptor *acceptors;
        uint32_t acceptor_count;
        const struct hop_thread *hops;
        uint32_t hop_count;
        const struct journal *journal; /* NULL: there is none */
        const struct overseer *overseer;
        const struct load *load;
        const struct budget *budget;
        uint64_t sessions_max; /* that the descriptors are enough for */
        struct dns_cache *dns_cache;
        struct dns_pool *dns_pool;
        struct sender_board *senders;
        struct shadow *shadow;
        struct log_writer *log;
};

/* For one page. */
struct web_view {
        const struct web_parts *parts;
        const struct published *published; /* pinned */
        const struct snapshot *snapshot;   /* the same */
        const struct health *health;
        const struct samples *samples;
        const struct refused *refused;
        const struct web_news *news;
        int64_t start_s; /* since 1970: of the server */
        int64_t now_s;
        uint64_t now_ms;     /* monotonic */
        const char *leaving; /* "stopping" or "draining"; NULL: neither */
};
