/* The whole server: starts the threads, waits for signals, reloads, stops. The main thread runs it. */
#pragma once

#include "workers/inbound/acceptor.h"
#include "workers/server/dns_counts.h"
#include "workers/server/zone_watch.h"

struct server {
        const char *path; /* of the configuration */
        struct publication publication;
        struct client_table clients;
        struct ledger ledger;
        size_t ledger_size;
        struct load load;
        struct log_writer log;
        struct worker *workers;
        struct acceptor *acceptors; /* one for each worker */
        struct delivery *deliveries;
        uint64_t sync_together; /* as the delivery threads were given it */
        uint32_t worker_count, delivery_count;
        uint64_t workers_wanted; /* by the configuration at the start; 0: one for each core */
        struct listener *listeners;
        uint32_t dns_in_flight_max;                                 /* questions, each thread of the pool */
        uint64_t dns_in_flight_wanted, dns_threads, dns_cache_size; /* by the configuration at the start */
        struct sender_store senders;
        struct sender_key sender_store_identity_at_start; /* at the start */
        struct dns_cache *dns_cache;
        struct zone_watch zone_watch;
        struct dns_counts dns_counts;
        struct dns_pool *dns_pool; /* clients: the workers and, last, the main thread */
};

/* Runs until it is told to stop by a signal; gives the exit code. `shows_status_line`: prints a status line
 * on stdout every second. */
int server_run(const char *path, bool shows_status_line);
