/* Work of the main thread that may hang, such as reading files from a disk that does not answer, is done by another
 * thread. So the main thread still hears that it is to stop. */
#pragma once

#include "workers/inbound/heartbeat.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct aside {
        void (*work)(void *argument);
        void (*drop)(void *argument); /* what it has made, where nobody waited for it; NULL: nothing */
        void *argument;
        pthread_t thread;
        _Atomic bool is_done;
        bool is_left; /* it was not waited for to its end */
        /* Of whoever waits: while the work is under way it is as in sleep. Fixed. */
        struct heartbeat *waiter;
};

/* Runs `work` and waits for it. False when a signal that ends the server, which is blocked, has come first: then
 * `work` may never end, so that `aside` and what it uses must outlive everything, and the process must not free
 * them. From then on nothing is run any more, and what comes is dropped at once. */
bool aside_run(struct aside *aside, void (*work)(void *argument), void (*drop)(void *argument),
               void *argument);
/* At the stop: true when no work is under way any more, at this moment of clock_monotonic_ms() at the latest. */
bool aside_end(struct aside *aside, uint64_t until_ms);
