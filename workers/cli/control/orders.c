/* gatepost status and drain. */
#include "workers/cli/control/orders.h"

#include "workers/cli/control/ask.h"
#include "workers/cli/usage.h"

#include <stdio.h>

#define STATUSES "Exit status: 0; 1 it was not done, or no server can be reached; 2 wrong call.\n"

const char status_help[] =
    "usage: gatepost status -c FILE\n\n"
    "Prints how the running server is, a JSON object. FILE names its control socket (option\n"
    "`control`).\n\n" STATUSES;

const char drain_help[] =
    "usage: gatepost drain -c FILE [--undo]\n\n"
    "Lets the running server end without a client noticing. At once it is not ready any more, as balancers\n"
    "see it; for drain_wait it serves whoever comes all the same. Then whoever comes is told 421, open\n"
    "sessions end as with a stop, and when all have gone, after shutdown_timeout at the latest, the server\n"
    "ends with status 0. The command does not wait for that. FILE names the server's control socket\n"
    "(option `control`).\n"
    "--undo   takes it back, while clients are not sent away yet\n\n" STATUSES;

int status_main(int argc, char **argv)
{
        struct ask ask = {.order = "status"};
        const struct usage_option options[] = {{"config", &ask.configuration, NULL}, {0}};

        return usage_read_options(status_help, options, 0, argc, argv) ? ask_server(&ask, status_help)
                                                                       : USAGE_STATUS;
}

static void print_times(const json_t *line)
{
        printf("not ready any more; clients are let in for %.1f s yet, then sessions have %.1f s\n",
               (double)json_integer_value(json_object_get(line, "clients_ms")) / 1000,
               (double)json_integer_value(json_object_get(line, "sessions_ms")) / 1000);
}

int drain_main(int argc, char **argv)
{
        bool undoes = false;
        struct ask ask = {.show = print_times};
        const struct usage_option options[] = {
            {"config", &ask.configuration, NULL}, {"undo", NULL, &undoes}, {0}};

        if (!usage_read_options(drain_help, options, 0, argc, argv))
                return USAGE_STATUS;
        ask.order = undoes ? "undrain" : "drain";
        return ask_server(&ask, drain_help);
}
