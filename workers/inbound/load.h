/* What all threads know of the load of the whole server. */
#pragma once

#include "conf/snapshot.h"
#include "core/base/ladder/ladder.h"

#include <stdatomic.h>

/* How far a drain has come. */
enum draining {
        DRAINING_NOT,
        DRAINING_ANNOUNCED, /* the server is not ready, and serves whoever comes all the same */
        DRAINING_CLIENTS,   /* whoever comes is sent away, and sessions end */
};

/* Of each of them. */
extern const char *const draining_words[];

struct load {
        _Atomic int rung; /* enum rung; written by the overseer */
        /* Nobody is accepted, which is in the log once; written by those who accept. */
        _Atomic bool is_full;
        /* enum draining; written by the main thread. The server is ready for clients when it is 0. */
        _Atomic int draining;
};

/* So many sessions may be open at a time. `descriptors_max`: that the descriptors are enough for. */
static inline uint64_t load_sessions_max(const struct options *options, uint64_t descriptors_max)
{
        uint64_t max = options->connections_max;
        return max == 0 || max > descriptors_max ? descriptors_max : max;
}

static inline enum rung load_rung(const struct load *load)
{
        return (enum rung)atomic_load_explicit(&load->rung, memory_order_relaxed);
}

static inline enum draining load_draining(const struct load *load)
{
        return (enum draining)atomic_load_explicit(&load->draining, memory_order_relaxed);
}
