/* The caller of a dialogue with a next hop in miniature, for tests: one connection whose other side is played.
 * Keeps all that we said and all events, as text. No sockets, no clock. It also drives the fuzzer. */
#pragma once

#include "core/client/connection.h"
#include "core/client/naming.h"
#include "core/client/text.h"
#include "core/client/transaction.h"
#include "tests/dialogue/exchange/cutting.h"

#define PEER_KEPT_SIZE (1u << 18)

struct peer {
        struct hop hop;
        struct hop_terms terms;
        enum cutting cutting;
        uint32_t random; /* of CUT_PIECES, not 0 */
        bool is_open;
        bool is_stuck; /* the hop takes no octets of ours */
        struct text out;
        struct text unread; /* a line that has not ended */
        struct text said;   /* by us */
        struct text events; /* a line each */
        char out_octets[3 * HOP_OUT_ROOM], unread_octets[PEER_KEPT_SIZE];
        char said_octets[PEER_KEPT_SIZE], event_octets[PEER_KEPT_SIZE];
        void (*heed)(struct peer *peer, enum hop_event event); /* NULL: nobody is told of events at once */
};

/* The terms stay as they are. */
void peer_begin(struct peer *peer, enum cutting cutting, uint32_t seed);
/* The hop's octets arrive as set, all before anything that we say in turn is sent. */
void peer_flight(struct peer *peer, struct span octets);
/* To be called behind each call that may have given events: `event` is what it returned. */
void peer_tell(struct peer *peer, enum hop_event event);
/* What waits is sent, unless the hop is stuck. */
void peer_flush(struct peer *peer);
/* The text is handed over as room comes. */
void peer_text(struct peer *peer, struct span text);
