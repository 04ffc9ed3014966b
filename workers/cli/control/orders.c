/* gatepost reload, status, drain and upgrade. */
#include "workers/cli/control/orders.h"

#include "workers/cli/control/ask.h"
#include "workers/cli/usage.h"

#include <stdio.h>

#define STATUSES "Exit status: 0; 1 it was not done, or no server can be reached; 2 wrong call.\n"

const char reload_help[] =
    "usage: gatepost reload -c FILE\n\n"
    "Lets the running server read its configuration anew, as SIGHUP does, and waits for the outcome. What "
    "is\n"
    "wrong with it is told on standard error, with file and line; then nothing has changed. FILE names its\n"
    "control socket (option `control`).\n\n"
    "Exit status: 0 it is in force, maybe with warnings; 1 it is not, or no server can be reached; 2 wrong\n"
    "call.\n";

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

const char upgrade_help[] =
    "usage: gatepost upgrade -c FILE\n\n"
    "Lets the running server hand over to a new process, which is its own program as the file is now, with\n"
    "the configuration as it is now, and waits for the outcome. No client is refused or reset: the new\n"
    "process gets the listening sockets when it is ready, and the old one ends when its own sessions have,\n"
    "after upgrade_sessions_timeout at the latest. A new process that fails, or is not ready within\n"
    "upgrade_start_timeout, is ended, and nothing has changed; what it has said is told on standard error.\n"
    "FILE names the server's control socket (option `control`).\n\n"
    "Exit status: 0 the new process serves; 1 it does not, or no server can be reached; 2 wrong call.\n";

static void print_complaint(const json_t *line)
{
        const char *complaint = json_string_value(json_object_get(line, "complaint"));

        if (complaint != NULL)
                fprintf(stderr, "%s\n", complaint);
}

/* An order without anything to choose. */
static int give(struct ask ask, const char *help, int argc, char **argv)
{
        const struct usage_option options[] = {{"config", &ask.configuration, NULL}, {0}};

        ask.order = argv[0];
        return usage_read_options(help, options, 0, argc, argv) ? ask_server(&ask, help) : USAGE_STATUS;
}

int reload_main(int argc, char **argv)
{
        return give((struct ask){.show = print_complaint}, reload_help, argc, argv);
}

int status_main(int argc, char **argv)
{
        return give((struct ask){0}, status_help, argc, argv);
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

static void print_upgrade(const json_t *line)
{
        print_complaint(line);
        if (json_object_get(line, "pid") != NULL)
                printf("process %lld serves, after %.1f s; %lld sessions of the old one have %.0f s to end\n",
                       (long long)json_integer_value(json_object_get(line, "pid")),
                       (double)json_integer_value(json_object_get(line, "took_ms")) / 1000,
                       (long long)json_integer_value(json_object_get(line, "sessions")),
                       (double)json_integer_value(json_object_get(line, "sessions_ms")) / 1000);
}

int upgrade_main(int argc, char **argv)
{
        return give((struct ask){.show = print_upgrade}, upgrade_help, argc, argv);
}
