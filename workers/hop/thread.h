/* Hop threads hand messages on to next hops. Each owns connections of its own, in an epoll loop: a session that waits
 * for a next hop costs no thread. Transfers come from workers by channels, and go back by others. */
#pragma once

#include "core/base/budget.h"
#include "core/lookup/delivered.h"
#include "core/smtp/metrics.h"
#include "dns/pool/client.h"
#include "workers/hop/figures.h"
#include "workers/hop/transfer.h"
#include "workers/journal/drain.h"
#include "workers/log/writer.h"
#include "workers/thread/publication.h"
#include "workers/thread/wheel.h"
#include "workers/tls/stream.h"

#include <pthread.h>

#define HOP_HOSTNAME_MAX 255
#define HOP_GIVE_BACK_MS 5000

/* What holds for all next hops, where a next hop does not say otherwise of itself. A connection keeps what held when it
 * was made. */
struct hop_settings {
        char hostname[HOP_HOSTNAME_MAX + 1];
        enum hop_naming naming;
        enum hop_starttls starttls;
        SSL_CTX *tls;              /* NULL: no handshake succeeds. A thread has a reference of its own */
        uint32_t threads;          /* which share connections_max out */
        uint32_t connections_max;  /* of all threads with one target */
        uint32_t waiting_max;      /* of one thread with one target */
        uint32_t transactions_max; /* of a connection; 0: any number */
        uint32_t failures_max;
        uint64_t connect_ms, open_ms, idle_ms, retry_ms;
        uint64_t patience_ms[HOP_PATIENCES];
        uint32_t callouts_max; /* as connections_max */
        uint64_t callout_ms;
        uint64_t refusals_ms, acceptances_ms,
            partings_ms; /* what hops say of recipients is remembered so long */
};

struct hop_target;
struct hop_connection;

TAILQ_HEAD(hop_connection_list, hop_connection);
LIST_HEAD(hop_target_list, hop_target);

struct hop_thread {
        /* Fixed after start. */
        uint32_t number;
        uint32_t worker_count;
        struct log_writer *log;
        pthread_t thread;
        int epoll_fd;
        struct channel *jobs;                /* one for each worker */
        struct channel **reports;            /* to each worker; set before start */
        struct channel *deliveries;          /* from the journal's drain */
        struct channel *returns;             /* back to it; NULL: there is no journal */
        struct publication *publication;     /* where domains' mail goes now; NULL: as returns */
        size_t pinner;                       /* that the thread is there */
        const struct remembered *remembered; /* set before start; NULL: nothing is */

        struct dns_client *dns; /* NULL: no name has an address */

        struct waker waker;
        _Atomic bool is_stopping;
        _Atomic bool gives_back;                    /* to the drain */
        struct hop_settings *_Atomic next_settings; /* NULL: they hold on */

        /* Owner: the thread; anybody reads them. */
        struct counters counters;
        struct figures_table figures;

        /* Owner: the thread. */
        struct hop_settings settings;
        uint64_t now_ms;
        uint64_t random; /* state of a generator that need not be secret */
        struct wheel wheel;
        struct hop_target_list targets;
        struct transfer_list transfers; /* all that have not ended */
        struct transfer_list openings;  /* those whose OPEN is not reported, by their deadlines */
        struct transfer_list callouts;  /* the same of ASK, without those that have joined one */
        struct transfer_list seeking;   /* a target; of their entry `waiting` */
        uint32_t drained_count;         /* of the drain, among the transfers */
        uint64_t given_back_ms;         /* when all of these have to be back; 0: they may stay */
        struct hop_connection_list connections;
        struct hop_connection_list dead; /* closed in this turn; events may still name them */
        struct text out;                 /* of the connection at hand */
        char *input;
        struct tls_buffers tls;       /* the same of its TLS; empty from one connection to the next */
        struct account account;       /* of what connections hold */
        struct block_pool dns_memory; /* of the answer at hand */
        uint64_t targets_made;
};

struct hop_thread_parts {
        uint32_t number;
        uint32_t worker_count;
        const struct hop_settings *settings;
        struct budget *budget;
        struct log_writer *log;
        struct dns_pool *dns_pool; /* NULL: nobody is asked */
        uint32_t dns_client;       /* its number there */
};

/* What the options say, for one of so many threads. `tls` is borrowed, and may be NULL. */
void hop_settings_read(struct hop_settings *settings, const struct options *options, uint32_t threads,
                       SSL_CTX *tls);

/* False when memory or descriptors are out. */
bool hop_thread_init(struct hop_thread *thread, const struct hop_thread_parts *parts);
/* Before the start: reports to this worker go there. */
void hop_thread_connect(struct hop_thread *thread, uint32_t worker, struct channel *reports);
/* The same of deliveries of the journal, which come by thread->deliveries. The thread is this pinner of the
 * publication. */
void hop_thread_connect_journal(struct hop_thread *thread, struct channel *returns,
                                struct publication *publication, size_t pinner);
/* The same: what hops say of recipients goes there. */
void hop_thread_remember(struct hop_thread *thread, const struct remembered *remembered);
bool hop_thread_start(struct hop_thread *thread);
/* Any one thread: these hold from now on. False when memory is out. */
bool hop_thread_set(struct hop_thread *thread, const struct hop_settings *settings);
/* Any one thread: the journal gets back what it hands out, and has handed out. A next hop that has all of a text has
 * HOP_GIVE_BACK_MS to answer; then nobody knows whether it was taken, and the message comes again later. */
void hop_thread_give_back(struct hop_thread *thread);
/* Tells the thread to end when each transfer has ended. No new one follows, and each gets its STORE or ABORT still. */
void hop_thread_stop(struct hop_thread *thread);
/* False when it runs still at this moment of clock_monotonic_ms(), or reports that nobody has taken keep it. */
bool hop_thread_join(struct hop_thread *thread, uint64_t until_ms);
void hop_thread_end(struct hop_thread *thread);
