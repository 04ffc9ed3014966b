/* The store of senders in the server: the thread that keeps it, and each worker's side of it. What workers
 * want to be remembered goes to the thread in jobs, which come back to be used again. So do questions, where
 * the store is not in this machine's memory. No worker ever waits for it. */
#pragma once

#include "conf/complaints.h"
#include "core/smtp/metrics.h"
#include "core/senders/sender.h"
#include "workers/thread/channel.h"
#include "workers/log/writer.h"
#include "workers/senders/board.h"
#include "workers/senders/lmdb.h"
#include "workers/senders/trouble.h"

#include <pthread.h>

/* So many jobs of one worker may be under way. */
#define SENDER_JOBS_MAX 4096

enum sender_job_kind { SENDER_JOB_ASK, SENDER_JOB_APPLY, SENDER_JOB_TELL };

struct sender_job {
        struct parcel parcel;
        struct sender_job *next; /* unused, or in the thread's hands */
        enum sender_job_kind kind;
        enum fact fact; /* the answer; of the others: FAILED when it is lost */
        uint64_t handle;
        uint32_t client;  /* whose it is */
        uint64_t sent_ms; /* owner: the thread */
        struct sender_key key;
        struct sender_record record;
        size_t text_length;
        char text[SENDER_TEXT_MAX];
};

struct sender_store;

struct sender_client {
        struct sender_source source; /* first */
        struct sender_store *store;
        struct channel *jobs; /* to the thread */
        struct channel *done; /* back */
        struct counters *counters;
        MDB_txn *reader; /* lmdb */
        struct sender_job *unused;
        struct sender_job *received; /* what sender_client_receive() gave last */
        uint32_t outstanding;
};

struct redis_settings;
struct sender_redis;

struct sender_store {
        /* Fixed after start. */
        enum sender_store_kind kind;
        uint32_t client_count;
        struct sender_client *clients;
        struct sender_lmdb lmdb;
        struct sender_placing lmdb_placing; /* its only share */
        struct sender_redis *redis;
        struct log_writer *log;
        void (*hear)(void *hearer,
                     struct span notice); /* redis: each of other machines, in the thread; or NULL */
        void *hearer;
        char origin[17]; /* redis: marks what this machine tells */
        pthread_t thread;

        struct waker waker;
        _Atomic bool is_stopping;
        struct sender_board board; /* redis */

        /* Owner: the thread. */
        struct sender_trouble trouble; /* that is no instance's of Redis */

        /* Owner: the main thread, and what it lets others do aside. */
        struct sender_key identity; /* of the options in force */
};

/* Opens what the snapshot's sender_store names, which may be nothing. False with the reason on standard
 * error. */
bool sender_store_open(struct sender_store *store, const struct snapshot *snapshot, uint32_t clients,
                       struct log_writer *log);
/* True when the snapshot wants another store than this one can become. */
bool sender_store_takes_restart(const struct sender_store *store, const struct snapshot *snapshot);

/* What a reload changes of the store. */
struct sender_change {
        struct redis_settings *settings; /* NULL: nothing */
        struct sender_key identity;
};

/* Blocks on files. False with complaints. */
bool sender_store_prepare(const struct sender_store *store, const struct snapshot *snapshot,
                          struct sender_change *ret_change, struct conf_complaints *complaints);
/* Puts the change in force while the store runs, or drops it. */
void sender_store_change(struct sender_store *store, struct sender_change *change);
void sender_change_drop(struct sender_change *change);
bool sender_store_start(struct sender_store *store);
/* Waits until everything is stored that can be. All workers must have ended. False when the thread runs still at
 * this moment of clock_monotonic_ms(). */
bool sender_store_stop(struct sender_store *store, uint64_t until_ms);
void sender_store_close(struct sender_store *store);

/* Returns the side of worker `number`. Its source is NULL when there is no store. */
struct sender_client *sender_store_client(struct sender_store *store, uint32_t number, struct waker *waker,
                                          struct counters *counters);
struct sender_source *sender_client_source(struct sender_client *client);
/* Returns the next answer to a question, which is valid until the next call, or NULL. */
const struct sender_job *sender_client_receive(struct sender_client *client);
bool sender_client_has_answers(const struct sender_client *client);
/* Wakes the thread. It is to be called once a turn, and soon again when it is false. */
bool sender_client_flush(struct sender_client *client);

/* ---- for the back ends: the thread's side. */

/* Returns the next job of any worker, or NULL. */
struct sender_job *sender_store_take(struct sender_store *store);
bool sender_store_is_empty(const struct sender_store *store);
void sender_store_return(struct sender_store *store, struct sender_job *job, enum fact fact);
/* Hands back what was returned. False while some of it waits for room; then it is to be called again soon. */
bool sender_store_flush(struct sender_store *store);
/* Tells the log and standard error of trouble, once a minute at most. */
void sender_store_complain(struct sender_store *store, const char *event, const char *reason);
