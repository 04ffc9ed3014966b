/* What all threads know of the load of the whole server. */
#pragma once

#include "core/base/ladder/ladder.h"

#include <stdatomic.h>

struct load {
        _Atomic int rung; /* enum rung; written by the overseer */
        /* Nobody is accepted, which is in the log once; written by those who accept. */
        _Atomic bool is_full;
};

static inline enum rung load_rung(const struct load *load)
{
        return (enum rung)atomic_load_explicit(&load->rung, memory_order_relaxed);
}
