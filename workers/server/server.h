/* The whole server: starts the threads, waits for signals, reloads, stops. The main thread runs it. */
#pragma once

#include "workers/inbound/accept/acceptor.h"
#include "workers/inbound/accept/clients.h"
#include "workers/inbound/accept/inherited.h"
#include "workers/control/control.h"
#include "workers/feed/keeper.h"
#include "workers/inbound/accept/self_accept.h"
#include "workers/process/notify.h"
#include "workers/server/bounds/aside.h"
#include "workers/server/control/drain.h"
#include "workers/server/counted/counted.h"
#include "workers/server/counter_log.h"
#include "workers/server/bounds/descriptors.h"
#include "workers/server/fleet.h"
#include "workers/server/machine/machine.h"
#include "workers/server/overseer/overseer.h"
#include "workers/server/stores/journal.h"
#include "workers/server/tls/certificates.h"
#include "workers/server/upgrade/succession.h"
#include "workers/server/upgrade/upgrade.h"
#include "workers/server/web/web.h"
#include "workers/server/zone_watch.h"
#include "workers/shadow/shadow.h"

/* Listeners of the first snapshot, bound and not open: ports below 1024 are root's to bind. */
struct listening_early {
        struct listener *bound;
        struct endpoint failed; /* the first that could not be bound, if there is an error */
        int error;
};

struct server {
        const char *path;       /* of the configuration */
        char *const *arguments; /* that the program was started with, behind its name; NULL ends them */
        struct notify notify;
        struct heartbeat heartbeat; /* of the main thread's turns */
        struct publication publication;
        struct clients clients;
        struct load load;
        struct overseer overseer;
        struct web web;
        struct budget budget;        /* of what clients make us hold */
        _Atomic uint64_t handshakes; /* of TLS, under way at all workers */
        struct log_writer log;
        struct worker *workers;
        struct acceptor *acceptors;
        struct self_accept *self_accepts; /* without acceptors: one for each worker */
        struct delivery *deliveries;
        struct hop_thread *hops;
        SSL_CTX *hop_tls; /* in force, of connections to next hops; NULL: none speaks TLS */
        struct server_journal journal;
        struct remembered remembered; /* of recipients at next hops */
        uint32_t acceptor_count, worker_count, delivery_count, hop_count;
        struct descriptor_shares shares;
        struct counters own_counters; /* of the main thread */
        /* Whose sets of counters there are: all threads that count. */
        struct counters_list counters;
        /* Numbers only: texts and lists went with the first snapshot. */
        struct options options_at_start;
        char user_at_start[64];
        char control_path[SOCKET_PATH_MAX + 1]; /* empty: there is no control socket */
        struct listener *listeners, *departing;
        struct inherited_list inherited; /* sockets that the process was started with */
        struct listening_early early;    /* what was bound before the user changed */
        struct sender_store senders;
        struct id_key id_key;
        struct fleet fleet;
        struct machine machine; /* what the fleet is told of it */
        struct dns_cache *dns_cache;
        struct feed_keeper feeds; /* lists of DNS zones in files */
        struct zone_watch zone_watch;
        struct dns_counts dns_counts;
        struct counter_log counter_log;
        struct counted counted; /* by reloads */
        struct certificates certificates;
        struct aside aside; /* what the main thread does not do itself */
        struct drain drain;
        struct succession succession; /* to the process before this one */
        struct upgrade upgrade;       /* to the one behind it */
        struct follow_board follow_board;
        struct control control;         /* not started without the option of its path */
        struct shadow shadow;           /* not there without the control socket */
        char promoted[SHADOW_PATH_MAX]; /* in force in the place of the server's own file; empty: that is */
        struct dns_pool *dns_pool; /* clients: the workers, the main thread, the hop threads, the shadow */
};

#define SERVER_STATUS_LEFT 3 /* the exit status when the stop left threads or messages behind */

struct server_wish {
        const char *path;       /* of the configuration */
        char *const *arguments; /* of the program, behind its name; NULL ends them */
        bool shows_status_line; /* on stdout, every second */
        bool may_be_root;
};

/* Runs until it is told to stop by a signal; gives the exit code. */
int server_run(const struct server_wish *wish);
