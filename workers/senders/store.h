/* The store of senders in the server: one thread that keeps it, and each worker's side of it. What workers
 * want remembered goes to the thread in jobs, which come back to be used again; so do questions where the
 * store is not in this machine's memory. No worker ever waits for it. */
#pragma once

#include "core/smtp/metrics.h"
#include "core/senders/sender.h"
#include "workers/thread/channel.h"
#include "workers/log/writer.h"
#include "workers/senders/lmdb.h"

#include <pthread.h>

/* Jobs of one worker that may be under way. */
#define STATE_JOBS_MAX 4096

enum state_job_kind { STATE_JOB_ASK, STATE_JOB_APPLY, STATE_JOB_TELL };

struct state_job {
        struct parcel parcel;
        struct state_job *next; /* unused, or in the thread's hands */
        enum state_job_kind kind;
        enum fact fact; /* the answer; of the others: FAILED when it is lost */
        uint64_t handle;
        uint32_t client;  /* whose it is */
        uint64_t sent_ms; /* owner: the thread */
        struct state_key key;
        struct state_record record;
        size_t text_length;
        char text[STATE_TEXT_MAX];
};

struct state_store;

struct state_client {
        struct state_source source; /* first */
        struct state_store *store;
        struct channel *jobs; /* to the thread */
        struct channel *done; /* back */
        struct counters *counters;
        MDB_txn *reader; /* lmdb */
        struct state_job *unused;
        struct state_job *current; /* what state_client_receive() gave last */
        uint32_t outstanding;
};

struct state_redis;

struct state_store {
        /* Fixed after start. */
        enum state_store_kind kind;
        uint32_t client_count;
        struct state_client *clients;
        struct state_lmdb lmdb;
        struct state_redis *redis;
        struct log_writer *log;
        void (*hear)(void *hearer,
                     struct span notice); /* redis: each of other machines, in the thread; or NULL */
        void *hearer;
        pthread_t thread;

        struct waker waker;
        _Atomic bool is_stopping;
        _Atomic bool is_reachable; /* redis: worth asking */

        /* Owner: the thread. */
        uint64_t complaint_ms; /* when the last one was logged */
};

/* Opens what the snapshot's state_store names, which may be nothing. False with the reason on stderr. */
bool state_store_open(struct state_store *store, const struct snapshot *snapshot, uint32_t clients,
                      struct log_writer *log);
/* Differs when a change of options takes a restart. */
struct state_key state_store_identity(const struct snapshot *snapshot);
bool state_store_start(struct state_store *store);
/* All workers have ended. Waits until everything is stored that can be. */
void state_store_stop(struct state_store *store);
void state_store_close(struct state_store *store);

/* Worker `number`'s side. Its source is NULL without a store. */
struct state_client *state_store_client(struct state_store *store, uint32_t number, struct waker *waker,
                                        struct counters *counters);
struct state_source *state_client_source(struct state_client *client);
/* The next answer to a question, valid until the next call, or NULL. */
const struct state_job *state_client_receive(struct state_client *client);
bool state_client_has_answers(const struct state_client *client);
/* Once a turn: wakes the thread. False: call again soon. */
bool state_client_flush(struct state_client *client);

/* ---- for the back ends: the thread's side */

/* The next job of any worker, or NULL. */
struct state_job *state_store_take(struct state_store *store);
bool state_store_is_empty(const struct state_store *store);
void state_store_return(struct state_store *store, struct state_job *job, enum fact fact);
/* Hands back what was returned. False while some of it waits for room: call again soon. */
bool state_store_flush(struct state_store *store);
/* To log and stderr, once a minute. */
void state_store_complain(struct state_store *store, const char *event, const char *reason);
uint64_t state_now_ms(void);
