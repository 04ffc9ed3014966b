/* The whole server: starts the threads, waits for signals, reloads, stops. The main thread runs it. */
#pragma once

#include "workers/acceptor.h"

struct server {
        const char *path; /* of the configuration */
        struct current current;
        struct client_table clients;
        struct load load;
        struct log_writer log;
        struct worker *workers;
        struct acceptor *acceptors;
        struct delivery *deliveries;
        uint32_t worker_count, acceptor_count, delivery_count;
        struct listener *listeners;
};

/* Runs until it is told to stop by a signal; gives the exit code. `is_live`: prints a status line on stdout
 * every second. */
int server_run(const char *path, bool is_live);
