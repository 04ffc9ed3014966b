/* The beat that a service manager waits for: it is sent as long as the threads that serve turn. */
#pragma once

#include "workers/process/notify.h"

/* Owner: one thread. */
struct watchdog {
        const struct notify *notify;
        uint64_t beaten_ms; /* 0: not yet */
};

/* `all_turn`: none of the threads that must turn is known to stand still. */
void watchdog_look(struct watchdog *watchdog, bool all_turn, uint64_t now_ms);
