/* What workers and the control thread share of sessions that are followed live: the filters, and for each worker a ring
 * of lines. A full ring loses lines, and counts them; nobody waits. */
#pragma once

#include "core/base/ring.h"
#include "core/smtp/follow/follow.h"

#include <stdatomic.h>

#define FOLLOW_LANE_LINES 128 /* a power of two */

struct follow_line {
        uint32_t followers;
        uint32_t length;
        char octets[FOLLOW_LINE_MAX];
};

RING(follow_ring, follow_line, FOLLOW_LANE_LINES);

/* From a worker. */
struct follow_lane {
        _Alignas(64) struct follow_ring ring;
        /* Written by the worker: the filters that it goes by, and lines for which there was no room. */
        _Alignas(64) _Atomic uint32_t seen;
        _Atomic uint64_t lost;
};

struct follow_board {
        /* Written by the control thread. A filter is in force while its bit is set; it changes only when no worker
         * goes by it any more. */
        _Atomic uint32_t active;
        struct follow_filter filters[FOLLOWERS_MAX];
        struct follow_lane *lanes; /* one for each worker; NULL: there is no control thread */
        uint32_t lane_count;
};

/* False when memory is out. */
bool follow_board_init(struct follow_board *board, uint32_t worker_count);
void follow_board_end(struct follow_board *board);
/* Control thread: puts the filter in force, and gives its bit; or gives 0: too many follow already, or workers have not
 * seen yet that one has left. */
uint32_t follow_board_add(struct follow_board *board, const struct follow_filter *filter);
void follow_board_remove(struct follow_board *board, uint32_t bit);
/* Control thread: the next line of any worker. False: there is none. */
bool follow_board_take(struct follow_board *board, struct follow_line *ret_line);
/* Control thread: lines that were lost since it was asked last. */
uint64_t follow_board_lost(struct follow_board *board);
