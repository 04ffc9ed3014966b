/* How an acceptor waits: slowly, it blocks in accept4() for each connection, one call each; fast, it sleeps a
 * millisecond and then takes all who have come, so that one wake-up of it and of a worker serves many. Pure:
 * fed the time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PACE_NAP_US 1000

struct pace {
        bool is_fast;
        uint32_t count;    /* slow: connections since `since_us`; fast: in the naps so far */
        uint32_t naps;     /* fast: of the look at hand */
        uint64_t since_us; /* slow */
};

/* Slow: a connection was accepted. The pace may be fast then. */
void pace_note_accept(struct pace *pace, uint64_t now_us);
/* Fast: so many were accepted after a nap. The pace may be slow then. */
void pace_note_nap(struct pace *pace, uint32_t accepted);
