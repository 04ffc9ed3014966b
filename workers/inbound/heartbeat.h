/* What a worker tells of itself as it goes, so that others see when it does not turn any more, and over what: a few
 * plain stores, which nobody waits for. */
#pragma once

#include "core/smtp/session.h"

#include <stdatomic.h>

#define HEARTBEAT_ID_SIZE 16

/* Written by the worker alone, read by the overseer: each word is whole, and together they tell of one session as long
 * as the worker stays with it. */
struct heartbeat {
        _Alignas(64) _Atomic uint64_t turn_ms; /* monotonic: when the turn began; 0: it sleeps */
        _Atomic uint32_t state;                /* enum session_state + 1 of the session at hand; 0: none is */
        _Atomic uint32_t port;
        _Atomic uint64_t client[2]; /* struct address */
        _Atomic uint64_t id[2];     /* of the message, where one is under way; else 0 */
        /* Written by the overseer: it has told that this worker does not turn, and not yet that it turns again. */
        _Atomic bool is_stalled;
};

static inline void heartbeat_turn(struct heartbeat *heartbeat, uint64_t now_ms)
{
        atomic_store_explicit(&heartbeat->turn_ms, now_ms, memory_order_relaxed);
}

static inline void heartbeat_sleep(struct heartbeat *heartbeat)
{
        atomic_store_explicit(&heartbeat->turn_ms, 0, memory_order_relaxed);
}

/* The worker turns to no session, but to something else. */
static inline void heartbeat_leave(struct heartbeat *heartbeat)
{
        atomic_store_explicit(&heartbeat->state, 0, memory_order_relaxed);
}

void heartbeat_serve(struct heartbeat *heartbeat, const struct session_peer *peer, enum session_state state,
                     const char *id);

/* What can be told of the session at hand. */
struct heartbeat_view {
        const char *state; /* as in states.def; NULL: it is with none */
        struct address client;
        uint16_t port;
        char id[HEARTBEAT_ID_SIZE + 1]; /* empty: no message is under way */
};

/* Any thread. */
struct heartbeat_view heartbeat_look(const struct heartbeat *heartbeat);
