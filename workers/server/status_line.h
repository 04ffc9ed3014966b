/* The status line of `serve --live`. */
#pragma once

#include "core/base/ladder/ladder.h"
#include "core/smtp/metrics.h"

struct status_line {
        bool is_terminal, has_line;
        uint64_t said[5]; /* open, accepted, refused, deferred and the rung at the last line */
};

void status_line_begin(struct status_line *status);
/* To be called once a second, with all counters, the number of open sockets and the rung of the ladder of
 * load, which is told unless it is the lowest. */
void status_line_print(struct status_line *status, const struct counters_list *list, uint64_t open,
                       enum rung rung);
void status_line_end(struct status_line *status);
