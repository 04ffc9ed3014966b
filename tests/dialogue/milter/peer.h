/* The caller of a dialogue with a filter in miniature, for tests: one connection whose other side is played.
 * Keeps all that we said and all events. No sockets, no clock. It also drives the fuzzer. */
#pragma once

#include "core/milter/apply.h"
#include "core/milter/give.h"
#include "core/milter/steps.h"
#include "tests/dialogue/exchange/cutting.h"

#define PEER_KEPT_SIZE (1u << 18)
#define MACROS_MAX     8

struct peer {
        struct milter milter;
        struct milter_terms terms;
        struct milter_giving giving;
        struct milter_edits edits;
        struct block_pool blocks;
        struct arena arena;
        struct content_pool pool;
        struct content text;
        size_t own; /* octets of the text in front that the filter is not shown */
        uint64_t body_max;
        enum cutting cutting;
        uint32_t random; /* of CUT_PIECES, not 0 */
        bool is_open;
        bool is_stuck; /* the filter takes no octets of ours */
        bool is_giving;
        bool is_ending;                         /* the edits are of the message that is to be judged */
        struct milter_macro macros[MACROS_MAX]; /* of the next step */
        size_t macro_count;
        char macro_names[MACROS_MAX][64];
        struct text out;
        struct text unread; /* a frame that has not come whole */
        struct text said;   /* by us */
        struct text events; /* a line each */
        char out_octets[2 * MILTER_OUT_ROOM + PEER_KEPT_SIZE], unread_octets[2 * MILTER_INPUT_MAX];
        char said_octets[PEER_KEPT_SIZE], event_octets[PEER_KEPT_SIZE];
        void (*heed)(struct peer *peer, enum milter_event event); /* NULL: nobody is told of events at once */
};

/* Empty, with the most patience; `milter_peer_end` gives back what it took. */
void milter_peer_init(struct peer *peer, enum cutting cutting, uint32_t seed);
void milter_peer_end(struct peer *peer);
/* A connection stands. */
void milter_peer_begin(struct peer *peer);
/* The filter's octets arrive as set, all before anything that we say in turn is sent. */
void milter_peer_flight(struct peer *peer, struct span octets);
/* To be called behind each call that may have given events: `event` is what it returned. */
void milter_peer_tell(struct peer *peer, enum milter_event event);
/* What waits is sent, unless the filter is stuck; the text goes on, if it is being given. */
void milter_peer_flush(struct peer *peer);
/* The text is the message's from here on. False: it is too long. */
bool milter_peer_set_text(struct peer *peer, struct span text, size_t own);
void milter_peer_give(struct peer *peer);
/* New edits, for the end of a message. */
struct milter_edits *milter_peer_begin_edits(struct peer *peer);
/* \r \n \t \0 \\ and \xHH for what is not printable. */
void milter_peer_put_escaped(struct text *text, struct span octets);
/* What the edits make of the text, a line each. */
void milter_peer_apply(struct peer *peer);
