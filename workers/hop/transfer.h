/* A message on its way to a next hop, and the jobs that carry it there. A worker makes a transfer at DATA and sends
 * OPEN; the report says whether the text may come. APPEND brings a piece of it, and STORE what is left and the order to
 * deliver. ABORT ends it instead, at any time. Each job comes back as its own report, in the order in which they were
 * sent. What a hop thread needs is copied, so that the session may end at any time.
 *
 * A callout is a transfer of one recipient without a text: ASK is its only job, whose report brings the answer. */
#pragma once

#include "core/client/naming.h"
#include "core/client/transaction.h"
#include "core/lookup/ruling.h"
#include "core/mail/message.h"
#include "workers/thread/channel.h"

#include <sys/queue.h>

#define TRANSFER_ANSWERS_MAX 8 /* different ones that are kept whole */
#define TRANSFER_NO_ANSWER   TRANSFER_ANSWERS_MAX

struct transfer_recipient {
        /* Fixed. */
        struct span address;
        struct hop_keys keys;
        /* What has become of it. */
        char enhanced[12]; /* as in struct hop_answer */
        uint16_t code;     /* 0: no hop has said anything */
        uint8_t answer;    /* whose text it is, in the transfer; TRANSFER_NO_ANSWER: it was one too many */
        bool is_settled;
        bool is_accepted; /* at RCPT */
        bool is_of_rcpt;  /* the fate is due to its answer there */
        enum hop_fate fate;
};

enum transfer_job_kind { TRANSFER_OPEN, TRANSFER_APPEND, TRANSFER_STORE, TRANSFER_ABORT, TRANSFER_ASK };

struct transfer_job {
        struct parcel parcel;
        enum transfer_job_kind kind;
        struct content content; /* APPEND and STORE; their blocks come back with the report */
        size_t octets;          /* length of content when it was sent */
        uint64_t sent_ms;       /* monotonic: when the worker has sent it */
        struct transfer *transfer;
        STAILQ_ENTRY(transfer_job) entry; /* owner: the hop thread */
};

STAILQ_HEAD(transfer_jobs, transfer_job);
TAILQ_HEAD(transfer_list, transfer);

struct journal_delivery;

struct transfer {
        /* Fixed. */
        char id[16]; /* the message's */
        struct hop_sender sender;
        struct hop_client client;
        const struct next_hop *hops;
        uint32_t hop_count, recipient_count;
        uint32_t left_out; /* recipients of the message that are none of the transfer: they have it already */
        size_t size;       /* octets of its memory */
        struct journal_delivery
            *delivery; /* of the journal's drain, whose jobs the hop thread has itself; NULL: of a worker */

        /* Owner: the worker. */
        void *owner;       /* whom the reports concern; NULL when it is gone, and of a callout */
        uint64_t handle;   /* of a callout: whose question it is */
        uint32_t thread;   /* number of the hop thread that has it */
        size_t in_flight;  /* octets of pieces that have not been reported */
        bool is_in_pieces; /* STORE brings the end of the text alone */
        bool keeps;        /* pieces that were reported, for the journal where the hop breaks */
        struct content kept;
        /* OPEN, and STORE or ABORT, so that neither needs memory; owner as of all jobs. */
        struct transfer_job first_job, last_job;

        /* Owner: the hop thread; the worker reads them when OPEN or STORE is reported. */
        bool is_open; /* a hop has given its go-ahead */
        uint8_t answer_count;
        const struct next_hop *hop; /* that was asked last; NULL: none was */
        struct hop_answer answers[TRANSFER_ANSWERS_MAX];
        struct transfer_recipient *recipients;

        /* Owner: the hop thread. */
        uint32_t worker;
        uint32_t tried;    /* bits: those of hops that were asked */
        uint32_t given;    /* recipients that the hop at hand was told, or that cannot be told it */
        uint32_t *numbers; /* which recipient each one is that the hop was given */
        bool is_named, is_over, is_ended;
        bool was_broken_off;               /* by a hop that was told of it, and not for a stale connection */
        bool is_callout, is_joined;        /* the same question is under way: it waits for that answer */
        struct transfer_list joined;       /* those who do, of their entry `waiting` */
        struct hop_target *asked;          /* a callout counts there; NULL: nowhere */
        uint64_t deadline_ms;              /* of OPEN or ASK */
        struct hop_target *target;         /* NULL: none has it */
        struct hop_connection *connection; /* NULL: it waits for one, or has none any more */
        struct transfer_job *opening;      /* OPEN, which is not reported */
        struct transfer_jobs jobs;         /* those behind it, in their order */
        TAILQ_ENTRY(transfer) entry;       /* of the thread */
        TAILQ_ENTRY(transfer) waiting;     /* of its target, or of those that seek one */
        TAILQ_ENTRY(transfer) openings;    /* of the thread, while it is not open */
};

/* What a transfer is made of; all of it is copied. */
struct transfer_parts {
        const struct message *message; /* its id and its envelope */
        const struct next_hop *hops;
        size_t hop_count;
        struct hop_client client;
        uint64_t size; /* as the client has declared it; 0: it has not */
        bool is_smtputf8;
        void *owner;
};

/* NULL when memory is out. To be freed with free() when STORE or ABORT is reported, or an OPEN that failed. */
struct transfer *transfer_create(const struct transfer_parts *parts);
/* Makes all recipients as they were before any hop was asked. */
void transfer_forget_answers(struct transfer *transfer);
/* The recipient has come to this fate, for this reason. Only the first one counts. */
void transfer_settle(struct transfer *transfer, uint32_t recipient, enum hop_fate fate,
                     const struct hop_answer *answer);
/* The same for all that have none. */
void transfer_settle_rest(struct transfer *transfer, enum hop_fate fate, const struct hop_answer *answer);
/* What the hop has said of a recipient that it refused or deferred. */
struct ruling transfer_ruling(const struct transfer *transfer, const struct transfer_recipient *recipient);
/* The words of what it was told; none, where they are not kept. */
struct span transfer_words(const struct transfer *transfer, const struct transfer_recipient *recipient);
/* How many have come to this one. */
uint32_t transfer_count(const struct transfer *transfer, enum hop_fate fate);
