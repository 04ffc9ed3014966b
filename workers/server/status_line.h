/* The status line of `serve --live`. */
#pragma once

#include "workers/server/server.h"

struct live {
        bool is_terminal, has_line;
        uint64_t said[4]; /* open, accepted, refused, deferred at the last line */
};

void live_begin(struct live *live);
/* To be called once a second. */
void live_say(struct live *live, struct server *server);
void live_end(struct live *live);
