/* gatepost fleet. */
#include "workers/cli/fleet/fleet.h"

#include "conf/build/load.h"
#include "dns/clock.h"
#include "workers/cli/fleet/table.h"
#include "workers/cli/usage.h"
#include "workers/process/user.h"
#include "workers/senders/redis/access.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum { FLEET_WELL, FLEET_UNLIKE, FLEET_ERROR };

const char fleet_help[] =
    "usage: gatepost fleet status -c FILE [--json]   which configuration each machine runs, and what it "
    "refuses\n"
    "       gatepost fleet forget -c FILE NAME       removes the record of a machine that is gone\n\n"
    "The machines tell of themselves in the Redis of sender_store, each under its hostname, every 10 s.\n\n"
    "Exit status: 0; 1 machines run different configurations, or one is silent or cannot be read, or there "
    "is none, or\n"
    "none of this NAME; 2 wrong call, or FILE is wrong, or no Redis can be reached.\n";

struct wish {
        const char *path, *forgotten; /* forgotten: NULL for status */
        bool wants_json;
};

static int status(const struct sender_access *access, const struct wish *wish,
                  const struct snapshot *snapshot)
{
        const struct fleet_file file = {wish->path, snapshot->digest};
        struct fleet_view view = {.now_s = clock_wall_s()};
        bool is_read = redis_machines_each(access, fleet_view_add, &view);

        if (view.is_out_of_memory)
                fprintf(stderr, "gatepost: no memory for all machines\n");
        fleet_view_judge(&view);
        if (is_read && wish->wants_json)
                fleet_print_json(&view, &file);
        else if (is_read)
                fleet_print(&view, &file);
        int code = !is_read || view.is_out_of_memory || fflush(stdout) != 0 ? FLEET_ERROR
                   : fleet_view_is_well(&view)                              ? FLEET_WELL
                                                                            : FLEET_UNLIKE;
        fleet_view_end(&view);
        return code;
}

static int forget(const struct sender_access *access, const char *name)
{
        bool was_there;

        if (!redis_machines_forget(access, span_from(name), &was_there))
                return FLEET_ERROR;
        if (was_there)
                printf("forgotten\n");
        else
                fprintf(stderr, "gatepost: there is no machine %s\n", name);
        return was_there ? FLEET_WELL : FLEET_UNLIKE;
}

static int run(const struct wish *wish)
{
        struct conf_complaints complaints = {0};
        struct snapshot *snapshot = snapshot_load(wish->path, &complaints);
        struct sender_access access = {.kind = SENDER_STORE_REDIS};
        int code = FLEET_ERROR;

        if (complaints.errors > 0)
                fputs(complaints.text, stderr);
        conf_complaints_end(&complaints);
        if (snapshot == NULL)
                return FLEET_ERROR;
        if (snapshot->sender_store.kind != SENDER_STORE_REDIS)
                fprintf(stderr,
                        "gatepost: %s: a fleet takes a store of senders in Redis (sender_store = "
                        "\"redis://...\")\n",
                        wish->path);
        else if (user_become_of(snapshot->options.user) && redis_access_reach(&access, snapshot) > 0)
                code = wish->forgotten == NULL ? status(&access, wish, snapshot)
                                               : forget(&access, wish->forgotten);
        redis_access_close(&access);
        snapshot_free(snapshot);
        return code;
}

int fleet_main(int argc, char **argv)
{
        struct wish wish = {.path = NULL};
        const struct usage_option options[] = {
            {"config", &wish.path, NULL}, {"json", NULL, &wish.wants_json}, {0}};

        if (!usage_read_options(fleet_help, options, 2, argc, argv))
                return USAGE_STATUS;
        const char *verb = argv[optind], *name = verb == NULL ? NULL : argv[optind + 1];
        if (verb == NULL)
                return usage_fault(fleet_help, "fleet: status or forget is missing");
        bool is_status = strcmp(verb, "status") == 0;
        if (!is_status && strcmp(verb, "forget") != 0)
                return usage_fault(fleet_help, "fleet: \"%s\" is neither status nor forget", verb);
        if (wish.path == NULL)
                return usage_fault(fleet_help, "fleet: -c FILE is missing");
        if (is_status && name != NULL)
                return usage_fault(fleet_help, "fleet: \"%s\" is not understood", name);
        if (!is_status && (name == NULL || wish.wants_json))
                return usage_fault(fleet_help, name == NULL ? "fleet: NAME is missing"
                                                            : "fleet: --json belongs to status");
        wish.forgotten = name;
        return run(&wish);
}
