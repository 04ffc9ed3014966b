/* gatepost reload and status. */
#include "workers/cli/control/orders.h"

#include "workers/cli/control/ask.h"
#include "workers/cli/usage.h"

#include <stdio.h>

#define STATUSES "Exit status: 0; 1 it was not done, or no server can be reached; 2 wrong call.\n"

const char reload_help[] = "usage: gatepost reload -c FILE\n\n"
                           "Lets the running server read its configuration anew, as SIGHUP does, and waits "
                           "for the outcome. What is\n"
                           "wrong with it is printed, with file and line; then nothing has changed. FILE "
                           "names the server's control\n"
                           "socket (option `control`).\n\n" STATUSES;

const char status_help[] =
    "usage: gatepost status -c FILE\n\n"
    "Prints how the running server is, a JSON object. FILE names its control socket (option\n"
    "`control`).\n\n" STATUSES;

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
