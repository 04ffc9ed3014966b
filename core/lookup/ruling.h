/* Rulings: what somebody else has said of a recipient, such as a next hop or a daemon of the site; and how a session
 * comes by one.
 *
 *      session ── rulings_find ──> the memory of rulings, which all threads share (core/lookup/rulings.h)
 *         └────── ask ──> recipient source ── PENDING: the session parks, and session_ruled() brings the answer
 *
 * Another source is added so: an enumerator in enum recipient_origin (conf/recipients/daemon.h); the prefix of the
 * option `recipients` that means it (conf/build/domains.c sets domain->origin); a `struct recipient_source` whose ask()
 * follows the contract below, which the worker puts into host->recipient_sources at that enumerator; and a call of
 * connection_ruled() when an answer has come. How long sessions wait for it, and whether what it says is also what the
 * next hop says (a callout) or is known beside that (a directory), stands in core/smtp/command/asking.c.
 * The session looks for a ruling in the memory before it asks, and has all else: parking, the reply and the log. What a
 * source has said is kept by the source, if it is to be kept, by rulings_put() under the key of the question. */
#pragma once

#include "conf/snapshot.h"
#include "core/base/digest/keyed.h"
#include "dns/fact.h"

#define RULING_TEXT_MAX 512 /* octets; what is longer is cut */

enum __attribute__((packed)) ruling_kind {
        RULING_TAKES,   /* it takes mail for the recipient */
        RULING_REFUSES, /* 5xx: for good */
        RULING_DEFERS,  /* 4xx: for now */
};

/* Which mailbox a directory knows. */
enum __attribute__((packed)) ruling_whom {
        RULING_OF_MAILBOX, /* that of the local part, without its extension where it has one */
        RULING_OF_ADDRESS, /* with its extension */
        RULING_OF_ANYBODY, /* the one that all addresses have that have none of their own */
};

struct ruling {
        enum ruling_kind kind;
        enum ruling_whom whom;
        uint16_t code;        /* of an SMTP reply of its class, never 421; with TAKES it may be 0 */
        char enhanced[12];    /* "5.1.1", of the class of the code */
        uint16_t text_length; /* octets */
        /* Its words, printable; where a source that takes the recipient has settings for it, these. */
        char text[RULING_TEXT_MAX];
};

/* What is asked of a source. The texts live until ask() has returned. */
struct recipient_question {
        const struct options *options;
        const struct domain *domain; /* of a directory: the one that has the mailboxes */
        struct span address;         /* without brackets, as the client gave it */
        /* Unquoted, with its extension; for a directory as mailboxes are compared, and without a tag of ours. */
        struct span local_part;
        struct key128 key; /* equal questions have equal keys */
};

struct recipient_source {
        /* Answers at once, or files the question for the session of this handle and says PENDING. FOUND sets
         * *ret_ruling. ABSENT: there is no such recipient, and there are no words for that. FAILED, now or later:
         * nobody has said anything, because of a bound, a fault or a deadline; the client is told 451, and the log
         * has the words of *ret_ruling, if there are any, as the reason. The source has a deadline of its own, and
         * answers once; the session may have ended by then. */
        enum fact (*ask)(struct recipient_source *source, const struct recipient_question *question,
                         uint64_t handle, struct ruling *ret_ruling);
};

static inline struct span ruling_text(const struct ruling *ruling)
{
        return span_of(ruling->text, ruling->text_length);
}
