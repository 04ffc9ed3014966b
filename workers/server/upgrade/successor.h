/* The process that is to take over, as its predecessor sees it: started by the launcher, heard by a channel and by what
 * it says on standard error. */
#pragma once

#include "workers/process/launch/launcher.h"
#include "workers/server/upgrade/channel.h"

#include <stdbool.h>

struct inherited_list;

#define SUCCESSOR_SAID_MAX   4096
#define SUCCESSOR_REASON_MAX 256

struct successor {
        const struct launcher *launcher;
        pid_t pid;      /* 0: it does not run */
        bool has_ended; /* by itself */
        int channel;
        int output; /* its standard error, which goes on to ours; -1: it has closed it */
        size_t length;
        char said[SUCCESSOR_SAID_MAX];     /* the last of it */
        char reason[SUCCESSOR_REASON_MAX]; /* why it is none; empty: it is one still */
};

/* Has it started with these sockets. `http_path`: of the unix socket among them; NULL: there is none. False with the
 * reason. */
bool successor_start(struct successor *successor, const struct inherited_list *list, uint32_t id_lane,
                     const char *http_path);
/* Waits for this word until a moment of clock_monotonic_ms(), and while no signal ends us. False with the reason. */
bool successor_await(struct successor *successor, enum channel_word word, uint64_t until_ms);
bool successor_say_go(struct successor *successor);
/* Returns when it has ended, which it does by force if it must. */
void successor_stop(struct successor *successor);
/* Hears it out: it has its own standard error by now, or soon. */
void successor_let_go(struct successor *successor);
