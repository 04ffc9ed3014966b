/* gatepost serve: the server itself. */
#include "workers/cli/serve.h"

#include "workers/cli/usage.h"
#include "workers/server/server.h"

const char serve_help[] =
    "usage: gatepost serve -c FILE [--live] [--as-root]\n\n"
    "Receives mail, in the foreground. Started as root it becomes the user that FILE names (option `user`).\n"
    "--live      prints a status line: on a terminal each second, elsewhere when it has changed\n"
    "--as-root   root may stay root where FILE names no user; otherwise that is refused\n\n"
    "SIGHUP    reads FILE anew; what is wrong with it is told, and then nothing changes\n"
    "SIGUSR1   opens the log anew, after a rotation\n"
    "SIGUSR2   writes all counters to the log, as events `counters` and `dns`\n"
    "SIGTERM, SIGINT, SIGQUIT   finish open messages and stop; a second one waits only for those that are\n"
    "          being stored\n\n"
    "Exit status: 0 stopped by a signal; 1 FILE is wrong, or cannot be served; 2 wrong call;\n"
    "3 stopped by a signal, but the store had not reported on some messages, or a thread hung.\n";

int serve_main(int argc, char **argv)
{
        struct server_wish wish = {.arguments = argv};
        const struct usage_option options[] = {{"config", &wish.path, NULL},
                                               {"live", NULL, &wish.shows_status_line},
                                               {"as-root", NULL, &wish.may_be_root},
                                               {0}};

        if (!usage_read_options(serve_help, options, 0, argc, argv))
                return USAGE_STATUS;
        return wish.path == NULL ? usage_fault(serve_help, "serve: -c FILE is missing") : server_run(&wish);
}
