/* A worker thread: an edge-triggered epoll loop over its connections. It takes no lock and makes no call that
 * blocks; it meets other threads in channels, in the published snapshot and in atomic counts only. */
#pragma once

#include "workers/inbound/accept/handover.h"
#include "workers/inbound/connection.h"
#include "workers/inbound/heartbeat.h"
#include "workers/control/board.h"
#include "workers/inbound/load.h"
#include "workers/senders/store.h"
#include "workers/thread/wheel.h"

/* Also room in front of what is received, for an unended line that came before. */
#define READ_SIZE  65536
#define WRITE_SIZE 65536

struct self_accept;
struct streams;
struct filter_work;

/* What epoll says an event is of: a connection's descriptor, a listener, the waker, or a stream (EVENT_OF_STREAM). */
#define EVENT_OF_WAKER    UINT64_MAX
#define EVENT_OF_LISTENER (UINT64_C(1) << 63) /* with its address */

enum stop_stage {
        STOP_NOT,
        STOP_SESSIONS, /* sessions end at their next boundary, and the worker goes on */
        STOP_IDLE,     /* the same, and then the worker ends */
        STOP_ALL,      /* only messages whose text is whole are waited for, and no answers for them */
        STOP_NOW,      /* nobody is waited for: messages that the store has are left to it */
};

struct worker_parts {
        uint32_t number;       /* as a client of the DNS pool and of the store, and as a pinner, too */
        uint32_t worker_count; /* of all */
        uint32_t id_lane;
        uint32_t acceptor_count;
        uint32_t delivery_count, hop_count;
        struct self_accept *self_accept; /* without acceptor threads: its own */
        struct publication *publication;
        struct client_table *clients;
        struct delivery *deliveries;
        struct hop_thread *hops;
        struct journal *journal; /* NULL: there is none */
        const struct remembered *remembered;
        struct log_writer *log;
        struct dns_pool *dns_pool;
        struct sender_store *senders;
        const struct id_key *id_key; /* for the time of the call */
        const struct sketch *questions;
        const struct ledger *ledger;
        const struct tls_no_go *tls_no_go;
        const struct load *load;
        struct budget *budget;
        _Atomic uint64_t *handshakes; /* under way at all workers */
        uint32_t spools;              /* files in the making that all workers together may have */
        uint64_t log_memory_octets;   /* of all */
};

struct worker {
        /* Fixed after start. */
        uint32_t number;
        uint32_t worker_count; /* of all */
        uint32_t acceptor_count;
        uint32_t delivery_count, hop_count;
        struct self_accept *self_accept; /* NULL: acceptor threads do it */
        struct publication *publication;
        struct client_table *clients;
        struct delivery *deliveries;
        struct hop_thread *hops;
        struct journal *journal; /* NULL: there is none */
        struct log_writer *log;
        struct dns_client *dns;
        struct sender_client *senders;
        const struct load *load;
        _Atomic uint64_t *handshakes; /* under way at all workers */
        uint32_t log_buffers_max;
        uint32_t spools_early_max; /* so many at a time for messages that are not long */
        pthread_t thread;
        int epoll_fd;
        struct inflow *inflows;      /* from each acceptor; where there is none, one that counts only */
        struct channel *reports;     /* from each delivery thread, and behind them from the journal */
        struct channel *hop_reports; /* from each hop thread */
        struct channel *empty_logs;

        /* Written by others. */
        _Alignas(64) struct waker waker; /* acceptors look at it for each connection */
        _Atomic int stop_stage;          /* enum stop_stage */

        /* Owner: the thread. */
        _Alignas(64) struct session_host host;
        struct account account; /* of what its clients make it hold */
        enum budget_level memory;
        uint64_t unused_share; /* octets of the budget that it may keep unused */
        uint32_t spool_count;  /* files in the making */
        struct wheel wheel;
        struct streams *streams; /* to daemons of the site */
        struct filter_work *filters;
        struct connections connections;
        struct text out; /* replies of the connection at hand */
        struct tls_work tls;
        char *input;                    /* SESSION_INPUT_MAX + READ_SIZE */
        struct delivery_job *free_jobs; /* each of a journal_job */
        uint32_t *jobs_sent;            /* for each delivery thread, and the journal: those not reported */
        uint32_t jobs_sent_total;
        uint32_t hop_jobs_sent; /* those not reported */
        uint64_t transfers_begun;
        struct recipient_source callouts;
        struct recipient_source *socketmaps;
        struct log_buffer *log_buffer;
        uint64_t log_begun_ms; /* since when lines wait in the buffer */
        uint32_t log_buffers;  /* with those that the log writer has */
        uint64_t log_lost;     /* lines that were dropped, of which the first line of the buffer tells */
        enum stop_stage stopping;
        uint64_t agings_seen;              /* of snapshots */
        struct follow_board *follow_board; /* fixed after start; NULL: nobody can follow sessions */

        /* Read by others. */
        struct heartbeat heartbeat;
        _Alignas(64) _Atomic uint64_t closed; /* connections, of those assigned to it */
        _Atomic bool has_ended;
        uint32_t forsaken; /* messages whose store had not reported at the end; read then */
        _Alignas(64) struct counters counters;
};

/* Connects it with the delivery threads and the log writer, too. False when memory or descriptors are out. */
bool worker_init(struct worker *worker, const struct worker_parts *parts);
bool worker_start(struct worker *worker);
/* Any thread: it is to look around, for something has changed. */
void worker_wake(struct worker *worker);
/* Any thread. The thread ends when it has no connection left. */
void worker_stop(struct worker *worker, enum stop_stage stage);
/* False when it runs still at this moment of clock_monotonic_ms(). */
bool worker_join(struct worker *worker, uint64_t until_ms);
void worker_end(struct worker *worker);

/* Any thread: connections open, or on their way, at all workers. */
uint64_t workers_open(const struct worker *workers, uint32_t worker_count);
