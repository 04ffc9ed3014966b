/* The status line of `serve --live`. */
#pragma once

#include "core/smtp/metrics.h"

struct status_line {
        bool is_terminal, has_line;
        uint64_t said[4]; /* open, accepted, refused, deferred at the last line */
};

void status_line_begin(struct status_line *status);
/* To be called once a second, with the sums of all counters and the number of open sockets. */
void status_line_print(struct status_line *status, const struct counters *counters, uint64_t open);
void status_line_end(struct status_line *status);
