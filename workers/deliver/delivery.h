/* Delivery threads store messages and report back. A job goes from a worker to one of them and comes back as
 * its own report. The blocks of text travel with it both ways, so that each worker's pool gets its own
 * back. */
#pragma once

#include "workers/thread/channel.h"
#include "workers/log/writer.h"
#include "workers/deliver/maildir.h"
#include "workers/deliver/shared_sync.h"

#include <pthread.h>

/* The pieces of a long message in a journal: the place of the last one, which tells where the one before is. */
struct piece_chain {
        uint64_t generation;
        uint64_t first_generation; /* of the segment with the first piece */
        uint64_t octets;           /* of text in all pieces */
        uint32_t offset;
        uint32_t count; /* 0: there are none */
};

/* A long message that is stored piece by piece while it comes in. What the delivery thread needs of it is
 * copied, so that the session may end at any time. */
struct spool {
        /* Fixed. */
        char id[16];       /* the message's */
        uint32_t delivery; /* number of the thread that stores it */
        enum newline_form newline;
        const char *mailbox; /* the first Maildir; of use only where there is one */
        struct span front;   /* of the copy in it */

        /* Owner: the worker. */
        void *owner;      /* whom the reports concern; NULL when it is gone */
        size_t in_flight; /* octets of pieces that have not been reported */

        /* Owner: the delivery thread. */
        bool is_begun;
        enum store_outcome outcome;
        const char *reason; /* of a failure */
        struct mail mail;
        struct mail_copy first;
        struct piece_chain chain; /* of the journal's writer, if that has it */

        char octets[]; /* mailbox and front */
};

enum delivery_kind {
        DELIVERY_APPEND, /* content goes to the end of the spool */
        DELIVERY_STORE,  /* message is complete: with content, or what is left of it behind a spool */
        DELIVERY_ABORT,  /* the spool is to vanish */
};

struct delivery_job {
        struct parcel parcel;
        enum delivery_kind kind;
        enum store_outcome outcome; /* of STORE, in the report */
        const char *reason;         /* of a failure; a constant */
        char file[MAIL_NAME_MAX];   /* the message's name in its Maildirs; empty: it went into none */
        struct content content;
        size_t octets;                 /* length of content when it was sent */
        const struct message *message; /* STORE */
        struct spool *spool;           /* NULL: a short message */
        void *owner;                   /* STORE: whom the report concerns */
        uint64_t sent_ms;              /* monotonic: when the worker has sent it */

        /* Owner: the delivery thread. */
        struct mail *mail;
        struct mail_copy *copies;
        size_t system; /* in the batch's shared sync; SHARED_SYNC_NONE: synced by itself */
};

#define DELIVERY_BATCH_MAX 128

/* Jobs that are run together, and the numbers of the workers that they came from. */
struct delivery_batch {
        size_t count;
        struct delivery_job *jobs[DELIVERY_BATCH_MAX];
        uint32_t workers[DELIVERY_BATCH_MAX];
        struct arena arena; /* paths and copies */
};

struct delivery {
        /* Fixed after start. */
        uint32_t number;
        uint32_t worker_count;
        uint32_t spools_max;    /* descriptors that long messages may hold */
        uint64_t sync_together; /* messages of a batch from which they share a sync; 0: never */
        struct log_writer *log;
        pthread_t thread;
        struct channel *jobs;     /* one for each worker */
        struct channel **reports; /* to each worker; set before start */

        struct waker waker;
        _Atomic bool is_stopping;

        /* Owner: the thread. */
        uint32_t spool_count;
        bool is_sharing;           /* the batch at hand shares its syncs */
        struct shared_sync shared; /* of that batch, and of the one before */
        struct mail_namer namer;
        struct block_pool pool;
        struct delivery_batch batches[2]; /* the one that is begun, and the one that was begun before it */
        int turn;                         /* which is begun next */
        struct arena *arena;              /* of the batch at hand */
        uint64_t complaint_s;             /* when the last one was logged */
        uint64_t complaints_unsaid;
};

/* False when memory or descriptors are out. */
bool delivery_init(struct delivery *delivery, uint32_t number, uint32_t worker_count, uint32_t spools_max,
                   uint64_t sync_together, struct log_writer *log);
/* Before the start: reports to this worker go there. */
void delivery_connect(struct delivery *delivery, uint32_t worker, struct channel *reports);
bool delivery_start(struct delivery *delivery);
/* Tells the thread to end when all its jobs are done. */
void delivery_stop(struct delivery *delivery);
/* Waits for its end. False when it runs still at this moment of clock_monotonic_ms(), or reports that nobody has
 * taken keep it. */
bool delivery_join(struct delivery *delivery, uint64_t until_ms);
void delivery_end(struct delivery *delivery);

/* True when no recipient's mail goes into a Maildir, so that there is nothing to store. */
bool message_is_discarded(const struct message *message);
/* Worker: returns what the pieces of a long message need, or NULL when memory is out. It is to be freed with
 * free() when STORE or ABORT is reported. */
struct spool *spool_create(const struct message *message, uint32_t delivery, void *owner);
