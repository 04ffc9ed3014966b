/* The status line of `serve --live`. */
#pragma once

#include "workers/server/server.h"

struct status_line {
        bool is_terminal, has_line;
        uint64_t said[4]; /* open, accepted, refused, deferred at the last line */
};

void status_line_begin(struct status_line *status);
/* To be called once a second. */
void status_line_print(struct status_line *status, struct server *server);
void status_line_end(struct status_line *status);
