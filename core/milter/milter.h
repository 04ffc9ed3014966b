/* A dialogue with a mail filter by protocol 6 of milters, as a machine: octets and the time go in, octets and
 * events come out. In it we are the MTA. It opens no socket, starts no thread, reads no clock and takes no
 * memory but that of edits.
 *
 *      milter_begin ──> READY ──> milter_connect ──> milter_helo ──> milter_mail ──> milter_recipient ...
 *                                                        ^                             │
 *                                                        │                         milter_data
 *                                                        │                             │
 *                                        ANSWERED for the message             milter_header ...
 *                                                        │                    milter_end_of_header
 *                                                    milter_end <──────────── milter_body ...
 *
 * Each of these is a step. It returns ANSWERED at once where the filter does not want the step, has nothing to
 * say to it, or has judged already; else WAITS, and milter_input() returns ANSWERED when the reply is in. What
 * the filter thinks is in `judgement`. A step is given only when the one before was answered. One whose scope is
 * the connection, or the message, holds for the steps that follow in it, which are answered alike without a word
 * to the filter: after ACCEPTS it is asked no more.
 *
 * FAILED is no verdict: what it means for the mail is the caller's affair. The machine is at its end then and
 * the connection is closed, but the session need not suffer: a new machine may begin in mid-session, is given
 * connect and helo anew, and goes on with the next message.
 *
 * Several filters in order are several machines. At each command of the session they are asked one after the
 * other, until one says anything but CONTINUES or ACCEPTS. The text is given to the first up to its verdict,
 * then its edits are applied (apply.h), and the next is given the text that comes of it, so that it sees,
 * numbers and edits what the one before made. Recipients and senders that edits change are told to no filter
 * that comes later: it has seen the client's.
 *
 * The caller sets now_ms before each call, gives `out` at least MILTER_OUT_ROOM octets of room, sends what is in
 * it, all up to where the machine waits at once, and says so by milter_sent(). After any event but WAITS and
 * CLOSE milter_input() is called, with what is left of the input or nothing, until it says WAITS; then comes the
 * next step. */
#pragma once

#include "core/base/address.h"
#include "core/milter/edits.h"
#include "core/milter/reply.h"

#define MILTER_DATA_MAX       65535u /* of one command of ours: libmilter closes on more */
#define MILTER_MACROS_MAX     8192u  /* octets of the macros of one command; more are left out */
#define MILTER_OUT_ROOM       (MILTER_DATA_MAX + MILTER_MACROS_MAX + 64u)
#define MILTER_FRAME_MAX      65536u                   /* of a reply, without its length; but a new body: */
#define MILTER_BODY_FRAME_MAX (1024u * 1024u + 65536u) /* which is used as it comes */
#define MILTER_INPUT_MAX      (MILTER_FRAME_MAX + 4u) /* octets that are left in the input for want of more */

enum milter_patience {
#define PATIENCE(name, ...) MILTER_PATIENCE_##name,
#include "core/milter/patience.def"
#undef PATIENCE
        MILTER_PATIENCES,
        MILTER_PATIENCE_never = MILTER_PATIENCES
};

enum milter_step {
#define STEP(name, bits) MILTER_STEP_##name = (bits),
#include "core/milter/steps.def"
#undef STEP
};

enum milter_action {
#define ACTION(name, bits, ...) MILTER_##name = (bits),
#include "core/milter/actions.def"
#undef ACTION
};

#define MILTER_ACTIONS_ALL 0xffu

enum __attribute__((packed)) milter_state {
#define STATE(name, ...) MILTER_STATE_##name,
#include "core/milter/states.def"
#undef STATE
        MILTER_STATES
};

/* What holds for a filter. Immutable, and many dialogues share it. */
struct milter_terms {
        uint32_t actions; /* those it may take, by enum milter_action */
        uint64_t patience_ms[MILTER_PATIENCES];
};

/* What is usual, by enum milter_patience. */
extern const uint64_t milter_patience_most_ms[MILTER_PATIENCES];

enum milter_event {
        MILTER_WAITS,    /* for more octets, for deadline_ms, or for the caller */
        MILTER_READY,    /* the options are agreed */
        MILTER_ANSWERED, /* the step is, by `judgement` */
        MILTER_FAILED,   /* `failure` and `why`; CLOSE follows */
        MILTER_CLOSE,    /* the caller writes what is in `out` if it can at once, and closes */
};

enum __attribute__((packed)) milter_verdict {
        MILTER_CONTINUES,
        MILTER_ACCEPTS, /* and wants to hear no more */
        MILTER_REJECTS,
        MILTER_DEFERS,
        MILTER_DISCARDS,   /* the client is told that all is well, and nobody gets the message */
        MILTER_SHUTS_DOWN, /* the client is told 421, and the connection closed */
};

enum __attribute__((packed)) milter_scope {
        MILTER_FOR_COMMAND, /* for this recipient, or for no more than the step */
        MILTER_FOR_MESSAGE,
        MILTER_FOR_CONNECTION,
};

struct milter_judgement {
        enum milter_verdict verdict;
        enum milter_scope scope;
        struct milter_reply reply; /* where the filter has words of its own; else its code is 0 */
};

enum __attribute__((packed)) milter_failure {
        MILTER_FAILED_BY_CLOSE, /* it died, or closed */
        MILTER_FAILED_BY_TIMEOUT,
        MILTER_FAILED_BY_FAULT, /* it said what it must not */
        MILTER_FAILED_BY_BOUND, /* more edits than we take, or no memory for them */
};

struct milter {
        /* Owner: the caller. */
        uint64_t now_ms; /* monotonic */

        /* For the caller to read. */
        uint64_t deadline_ms; /* call milter_timeout() then; UINT64_MAX: never */
        struct milter_judgement judgement;
        enum milter_failure failure;
        const char *why; /* it failed; static */
        /* What was waited for then, or given last, for logs: "CONNECT", "END"; static. */
        const char *failed_at;

        /* Of the connection. */
        const struct milter_terms *terms;
        uint32_t version, actions, steps; /* as agreed */
        enum milter_state stage;          /* the step that was given last */
        bool is_owed;                     /* and a reply to it */
        bool has_unsent;                  /* octets of ours wait to be sent */
        bool is_failing;                  /* FAILED is still to be told */
        uint64_t asked_ms;                /* when the step was given that a reply is owed to */
        uint64_t since_ms;                /* when the wait began, or last came forward */

        /* Of the message. */
        uint64_t begun_ms;          /* when its first field was given */
        struct milter_edits *edits; /* borrowed from milter_end() to ANSWERED */
        uint32_t body_left;         /* octets to come of a piece of a new body */
        bool is_skipping;           /* the rest of the body */
};

/* A name with braces, where it has more than one letter. One whose value is empty is not told. */
struct milter_macro {
        const char *name;
        struct span value;
};

struct milter_macros {
        const struct milter_macro *at;
        size_t count;
};

/* A connection stands. The options are written. READY follows. */
void milter_begin(struct milter *milter, const struct milter_terms *terms, uint64_t now_ms, struct text *out);
/* Uses octets from the front of *input and advances it past them. */
enum milter_event milter_input(struct milter *milter, struct span *input);
/* Octets of `out` have been sent, and so many are left. */
void milter_sent(struct milter *milter, size_t left);
/* The deadline has passed. */
enum milter_event milter_timeout(struct milter *milter);
/* The filter has closed, or the connection is broken; what had been read was given before. */
enum milter_event milter_lost(struct milter *milter);
/* The session is over, wherever it stood. CLOSE follows. */
void milter_quit(struct milter *milter, struct text *out);

/* No reply is owed, and it has neither failed nor ended: the next step may be given. */
bool milter_takes_step(const struct milter *milter);
/* The filter is not asked for the rest of the message, or of the connection. */
static inline bool milter_has_judged(const struct milter *milter)
{
        return milter->judgement.verdict != MILTER_CONTINUES && milter->judgement.scope != MILTER_FOR_COMMAND;
}
