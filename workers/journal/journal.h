/* The journal's writer: a thread that takes messages as a delivery thread does, gathers all that wait, makes them
 * durable by one write and one sync, and then reports all of them. So the client's 250 stands on one sync that
 * many share.
 *
 *   workers ══jobs══> writer ──> segments        jobs: struct journal_job, the report is the job itself
 *   writer ══news══> drain, drain ══orders══> writer, which come back as they are when they are durable
 *
 * What it waits for: the disk, and at the start another process that has the journal still, such as the old one of
 * an upgrade. Messages wait with it, for JOURNAL_PATIENCE_MS at most, and are deferred then. A batch that could
 * not be written or synced fails as a whole (451, or 452 where the disk or the journal is full); its segment is
 * left, and nothing is tried for a second. What is in hand is bounded by JOURNAL_BATCH_MAX; what more there is
 * stays in the channels, which the workers bound as they do for delivery threads. A stop ends the thread when all
 * jobs and orders are done: the producers end first. */
#pragma once

#include "workers/journal/index.h"
#include "workers/journal/disk/store.h"

#define JOURNAL_BATCH_MAX   256
#define JOURNAL_PATIENCE_MS 10000

/* What a message's record tells beside the message. */
struct journal_origin {
        struct span client;      /* its address, as text */
        struct span helo;        /* as it said */
        struct span destination; /* where it is to go, as the next hop's name */
        bool is_own;             /* that is said of recipients, not of their domain */
};

/* From a worker, and back. `delivery.spool` is made by spool_create(). */
struct journal_job {
        struct delivery_job delivery;
        struct journal_origin origin; /* STORE; its texts are lent until the report */
        /* Owner: the worker. */
        char client[ADDRESS_TEXT_MAX + 1];
        /* With a dot at its end; a stop may end the session before the report. */
        char helo[DOMAIN_NAME_MAX + 2];
        struct message *rest; /* what a next hop has left of a message; NULL: all of it goes to the journal */
};

/* A message that has become durable. */
struct journal_news_item {
        struct journal_entry entry;
        char destination[JOURNAL_DESTINATION_MAX + 1];
};

/* From the writer to the drain, which frees it. */
struct journal_news {
        struct parcel parcel;
        /* No generation below this one will be in an item that comes later, as its own or its first. */
        uint64_t horizon;
        uint32_t free_segments;
        bool is_opening; /* the first: the index is filled, and the drain's from now on */
        size_t count;
        struct journal_news_item items[];
};

enum journal_order_kind {
        JOURNAL_ORDER_OUTCOME, /* of a message, or a try */
        JOURNAL_ORDER_MOVE,    /* the message goes to the end, so that its segment may be freed */
};

/* From the drain to the writer, and back. */
struct journal_order {
        struct parcel parcel;
        enum journal_order_kind kind;
        uint32_t entry;
        /* OUTCOME */
        struct journal_outcome outcome;
        /* MOVE: what is to be written; its text is `content`. */
        struct journal_message message;
        struct content content;
        /* Of the writer. */
        bool is_durable;
        uint64_t sequence;
        uint64_t first_generation;
        struct journal_place place;
};

/* Numbers that grow; any thread may read them. */
struct journal_counts {
        _Atomic uint64_t messages;  /* made durable */
        _Atomic uint64_t octets;    /* written, padding with them */
        _Atomic uint64_t syncs;     /* that succeeded */
        _Atomic uint64_t failures;  /* of a write or a sync */
        _Atomic uint64_t refused;   /* messages and pieces that failed, for whatever reason */
        _Atomic uint64_t settled;   /* messages that are delivered, dead or dropped */
        _Atomic uint64_t delivered; /* recipients */
        _Atomic uint64_t deferred;  /* tries that left somebody waiting */
        _Atomic uint64_t dead;      /* recipients whose mail became a dead letter */
        _Atomic uint64_t damaged; /* records that were lost to damage, and messages that could not be read */
        _Atomic uint64_t torn;    /* records of a batch that nobody was told of */
        _Atomic uint64_t waiting; /* messages; now */
};

struct journal_settings {
        const char *path;
        uint64_t size, segment_size; /* octets */
        uint64_t messages_max;       /* that may wait: the index has 84 octets for each */
};

/* What the writer has in hand. */
struct journal_item {
        struct journal_job *job; /* or */
        struct journal_order *order;
        uint32_t worker;
        bool is_put;  /* in the batch that is not committed */
        bool is_done; /* with its outcome */
};

struct journal {
        /* Fixed after start. */
        struct journal_settings settings;
        uint32_t worker_count;
        struct log_writer *log;
        pthread_t thread;
        struct channel *jobs;     /* one for each worker */
        struct channel **reports; /* to each worker; set before start */
        struct channel *orders;   /* from the drain */
        struct channel *done;     /* to the drain; set before start */
        struct channel *news;     /* to the drain; set before start */

        struct waker waker;
        _Atomic bool is_stopping;
        _Atomic bool is_leaving;   /* the journal is to be another process's when the drain has ended */
        _Atomic bool has_no_drain; /* it has ended */
        _Atomic bool is_released;  /* another process may have it */
        _Atomic bool is_open;      /* the thread has the journal; then counts.waiting is right */
        struct journal_counts counts;

        /* Owner: the thread. */
        struct journal_store store;
        struct journal_index *index; /* filled at the opening, and the drain's then */
        bool takes_mail;             /* there is room for it, beside that for orders */
        bool has_waited;             /* that another process has the journal was told */
        uint64_t blocked_until_ms;
        uint64_t complaint_s;
        const char *fault; /* why nothing can be written until then */
        enum store_outcome fault_outcome;
        uint64_t told_horizon;
        uint32_t told_free;
        struct journal_news *gathered; /* of the round; NULL: memory is out */
        size_t durable_news;           /* so many of its items are durable */
        struct journal_item items[JOURNAL_BATCH_MAX];
        size_t count;
};

/* False when memory or descriptors are out. `settings` are copied, their path is lent. */
bool journal_init(struct journal *journal, const struct journal_settings *settings, uint32_t worker_count,
                  struct log_writer *log);
/* Before the start. */
void journal_connect(struct journal *journal, uint32_t worker, struct channel *reports);
void journal_connect_drain(struct journal *journal, struct journal_index *index, struct channel *news,
                           struct channel *done);
bool journal_start(struct journal *journal);
/* Any thread: another process is to have the journal as soon as the drain, which is to be stopped as well, has ended.
 * From then on all jobs are deferred. */
void journal_release(struct journal *journal);
/* The drain: it has ended, and returns nothing any more. */
void journal_note_drain_ended(struct journal *journal);
/* Tells the thread to end when all jobs and orders are done. */
void journal_stop(struct journal *journal);
/* Waits for its end. False when it runs still at this moment of clock_monotonic_ms(). */
bool journal_join(struct journal *journal, uint64_t until_ms);
void journal_end(struct journal *journal);
