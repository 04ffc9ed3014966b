/* The log, opened anew, and the news that a configuration in force makes there. */
#include "workers/server/reload_log.h"

#include "workers/log/console.h"
#include "workers/server/stores/store_syncs.h"

/* Work aside: opens the log of the configuration in force anew. */
static void open_log_anew(void *argument)
{
        struct server *server = argument;
        const struct published *published = atomic_load(&server->publication.published);
        const char *fault;
        struct log_target *log = log_open(published->snapshot, &fault);

        if (log == NULL) {
                console_fail("gatepost: cannot open log %s: %s; the open file stays in use",
                             published->snapshot->options.log, fault);
                return;
        }
        log_writer_switch(&server->log, log);
        log_event(&server->log, "log_opened", NULL);
}

void reload_log(struct server *server)
{
        aside_run(&server->aside, open_log_anew, NULL, server);
}

/* Work aside: the store's disk may hang. */
static void tell_syncs(void *argument)
{
        struct server *server = argument;
        const struct published *published = atomic_load(&server->publication.published);

        store_syncs_tell(&server->log, published->snapshot);
}

void reload_tell_syncs(struct server *server)
{
        aside_run(&server->aside, tell_syncs, NULL, server);
}
