/* The configuration at the start of the server, and the process that serves it. */
#pragma once

#include "conf/snapshot.h"

struct first_wish {
        const char *path; /* of the configuration */
        bool may_be_root;
        /* Opens, with the rights that the process was started with, what its user may not open later. */
        void (*open)(void *opener, const struct snapshot *snapshot);
        /* Starts, with the rights that stay, what nobody in the sandbox may start. */
        void (*prepare)(void *opener, struct snapshot *snapshot);
        void *opener;
};

/* Loads it, opens, and becomes the user that it names. Root without one is refused, unless it may be root. Then the
 * process gives up what it does not need, and enters the sandbox. NULL, with the reason on standard error. To be called
 * before any thread is started. */
struct snapshot *first_snapshot(const struct first_wish *wish);
