/* A dialogue with a next hop, by LMTP (RFC 2033) or SMTP (RFC 5321), as a machine: octets and the time go in, octets
 * and events come out. In it we are the client. It opens no socket, starts no thread, reads no clock and takes no
 * memory.
 *
 *      hop_begin ──> SECURE ──> READY ──> hop_mail ──> hop_recipient ... ──> hop_data ──> GO_AHEAD
 *                                 ^                         hop_abandon              hop_text ... ──> hop_dot
 *                                 └── OVER <── SETTLED for each recipient <──────────────────────────────┘
 *
 * Each recipient that was given gets exactly one fate, by SETTLED. It is DELIVERED only where a 2xx followed our dot,
 * and no dot follows once a text is abandoned or the hop speaks unasked.
 *
 * The caller sets now_ms before each call, gives `out` at least HOP_OUT_ROOM octets of room, sends what is in it, and
 * says so by hop_sent(). Each call returns one event at most: after any but WAITS and CLOSE hop_input() is called
 * again, with what is left of the input or nothing, until it says WAITS; so it is after calls that return none, too.
 * TLS and the time between transactions are in connection.h, a transaction is in transaction.h, its text in text.h, and
 * how the hop is told of our client in naming.h. */
#pragma once

#include "conf/value/next_hop.h"
#include "core/client/reply.h"

#define HOP_OUT_ROOM       4096         /* no call but hop_text() writes more */
#define HOP_INPUT_MAX      HOP_LINE_MAX /* octets that are left in the input for want of more */
#define HOP_RECIPIENTS_MAX NEXT_HOP_RECIPIENTS_MAX
#define HOP_WINDOW         64 /* commands that are sent before the first of them is answered */

enum hop_patience {
#define PATIENCE(name, ...) HOP_PATIENCE_##name,
#include "core/client/patience.def"
#undef PATIENCE
        HOP_PATIENCES,
        HOP_PATIENCE_never = HOP_PATIENCES
};

enum hop_offer {
#define OFFER(name, keyword) HOP_OFFERS_##name,
#include "core/client/offers.def"
#undef OFFER
        HOP_OFFERS
};

enum __attribute__((packed)) hop_state {
#define STATE(name, ...) HOP_STATE_##name,
#include "core/client/states.def"
#undef STATE
        HOP_STATES
};

/* What holds for a target. Immutable, and many dialogues share it. */
struct hop_terms {
        const char *hostname; /* for EHLO, LHLO and HELO */
        enum hop_protocol protocol;
        enum hop_starttls starttls;
        enum hop_naming naming;
        bool sends_eight_bit; /* also to a hop that does not offer 8BITMIME, as most stores can do without */
        uint32_t transactions_max; /* of one connection, then QUIT; 0: any number */
        uint64_t patience_ms[HOP_PATIENCES];
};

/* As RFC 5321 has them, by enum hop_patience. */
extern const uint64_t hop_patience_most_ms[HOP_PATIENCES];

enum hop_event {
        HOP_WAITS, /* for more octets, for deadline_ms, or for the caller */
        /* What is in `out` is sent, then the caller shakes hands: hop_secured() or hop_handshake_failed(). Octets
         * that it has read already are no part of the handshake: they are given to hop_input(), which does not
         * forgive them. */
        HOP_SECURE,
        HOP_READY,     /* a transaction may begin, or the connection be kept for one */
        HOP_SENDER,    /* MAIL was accepted */
        HOP_RECIPIENT, /* RCPT was accepted for `recipient`; the text will decide */
        HOP_GO_AHEAD,  /* the text may be given */
        HOP_SETTLED,   /* `recipient` has come to `fate` */
        /* All recipients have their fates; `fate` is that of the last, or of the transaction where it had none. */
        HOP_OVER,
        HOP_CLOSE, /* the caller writes what is in `out` if it can at once, and closes; `ending` says why */
};

enum __attribute__((packed)) hop_fate {
        FATE_DELIVERED, /* the hop has taken the message on */
        FATE_REFUSED,   /* 5xx */
        FATE_DEFERRED,  /* 4xx */
        FATE_BROKEN,    /* connection or protocol gave way before the dot: another hop may be asked at once */
        FATE_UNKNOWN, /* they did after the dot: it may have been delivered, and asking again may do so twice */
        FATE_ABANDONED, /* the caller wanted no delivery */
};

enum __attribute__((packed)) hop_ending {
        HOP_ENDED_BY_QUIT,    /* ours, and nothing was wrong */
        HOP_ENDED_BY_REFUSAL, /* it would not serve us: what it said is in `answer` */
        HOP_ENDED_BY_CLOSE,   /* it closed, or said 421 */
        HOP_ENDED_BY_TIMEOUT,
        HOP_ENDED_BY_FAULT, /* it said what it must not */
        HOP_ENDED_BY_TLS,   /* none where it must be, or the handshake failed */
        HOP_ENDED_BY_US,    /* a text was abandoned */
};

struct hop {
        /* Owner: the caller. */
        uint64_t now_ms; /* monotonic */

        /* For the caller to read. */
        uint64_t deadline_ms; /* call hop_timeout() then; UINT64_MAX: never */
        uint32_t recipient;   /* from 0, in the order in which they were given */
        enum hop_fate fate;
        enum hop_ending ending;
        bool is_secured;
        struct hop_answer answer; /* what the event is due to; until the next call */

        /* Of the connection. */
        const struct hop_terms *terms;
        uint64_t size_max;   /* of a message, as offered; 0: it does not say */
        uint64_t since_ms;   /* when the wait began, or last came forward */
        uint32_t offers;     /* bits, by enum hop_offer */
        uint32_t attributes; /* bits, by enum naming_attribute: those that it lets us name */
        uint32_t transactions;
        struct reply_reader reader;
        enum hop_state resting; /* the state when nothing is owed */
        enum hop_state owed[HOP_WINDOW];
        uint8_t owed_first, owed_count;
        uint8_t unsent;        /* of the owed ones, from the last on: their commands have not been sent */
        bool has_unsent;       /* octets of ours wait to be sent */
        bool is_ready;         /* READY has been said, and nothing has begun since */
        bool is_plain_to_stay; /* STARTTLS was refused, and may be */

        /* Of the transaction. */
        uint64_t begun_ms;
        uint64_t dot_ms;                        /* when the dot was given */
        uint64_t open[HOP_RECIPIENTS_MAX / 64]; /* bits: recipients without a fate */
        uint32_t recipients, answered;          /* given; of those answered at RCPT */
        enum hop_fate rest;                     /* what those come to that have no fate when is_settling */
        bool is_settling;                       /* all that remains is to tell the caller */
        bool is_under_way;                      /* from hop_mail() to OVER */
        bool needs_reset;                       /* the hop believes it still is */
        bool has_recipients;                    /* the hop accepted one, whatever we make of it */
        char last; /* octet of the text; CR: it is held back until the next one is known; LF: a line begins */
};

/* A connection stands. The hop speaks first. */
void hop_begin(struct hop *hop, const struct hop_terms *terms, uint64_t now_ms);
/* Uses octets from the front of *input and advances it past them. */
enum hop_event hop_input(struct hop *hop, struct span *input, struct text *out);
/* Octets of `out` have been sent, and so many are left. */
void hop_sent(struct hop *hop, size_t left);
/* The deadline has passed. */
enum hop_event hop_timeout(struct hop *hop, struct text *out);
/* The hop has closed, or the connection is broken; what had been read was given before. */
enum hop_event hop_lost(struct hop *hop, struct text *out);

/* READY was said last, and the hop has said nothing since. */
static inline bool hop_is_ready(const struct hop *hop)
{
        return hop->is_ready && hop->resting == HOP_STATE_REST;
}
/* Until the hop has closed, this tells for logs what is waited for: "GREETING", "RCPT". */
const char *hop_state_name(const struct hop *hop);
static inline bool hop_offers(const struct hop *hop, enum hop_offer offer)
{
        return (hop->offers & 1u << offer) != 0;
}
