/* A thread for one piece of work. */
#include "workers/server/bounds/aside.h"

#include "dns/clock.h"
#include "workers/server/signals.h"

#include <time.h>

#define LOOK_MS 5 /* for the work's end, which is no signal */

static void *thread_main(void *argument)
{
        struct aside *aside = argument;

        pthread_setname_np(pthread_self(), "aside");
        aside->work(aside->argument);
        atomic_store(&aside->is_done, true);
        return NULL;
}

bool aside_run(struct aside *aside, void (*work)(void *argument), void (*drop)(void *argument),
               void *argument)
{
        /* Signals of lower numbers are taken before the one that ends the server. */
        if (aside->is_left) {
                if (drop != NULL)
                        drop(argument);
                return false;
        }
        *aside = (struct aside){.work = work, .drop = drop, .argument = argument, .waiter = aside->waiter};
        if (pthread_create(&aside->thread, NULL, thread_main, aside) != 0) {
                work(argument);
                return true;
        }
        heartbeat_sleep(aside->waiter);
        while (!aside->is_left && !atomic_load(&aside->is_done)) {
                nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000L}, NULL);
                aside->is_left = signal_of_end_is_pending() && !atomic_load(&aside->is_done);
        }
        heartbeat_turn(aside->waiter, clock_monotonic_ms());
        if (!aside->is_left)
                pthread_join(aside->thread, NULL);
        return !aside->is_left;
}

bool aside_end(struct aside *aside, uint64_t until_ms)
{
        if (!aside->is_left)
                return true;
        if (!clock_join_thread(aside->thread, until_ms))
                return false;
        if (aside->drop != NULL)
                aside->drop(aside->argument);
        return true;
}
