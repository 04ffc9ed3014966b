/* gatepost serve: the server itself. */
#include "workers/cli/serve.h"

#include "workers/cli/usage.h"
#include "workers/server/server.h"

#include <string.h>

const char serve_help[] =
    "usage: gatepost serve -c FILE [--live] [--as-root]\n\n"
    "Receives mail, in the foreground. Started as root it becomes the user that FILE names (option `user`).\n"
    "--live      prints a status line each second\n"
    "--as-root   root may stay root where FILE names no user; otherwise that is refused\n\n"
    "SIGHUP    reads FILE anew; what is wrong with it is told, and then nothing changes\n"
    "SIGUSR1   opens the log anew, after a rotation\n"
    "SIGUSR2   writes all counters to the log, as event `counters`\n"
    "SIGTERM, SIGINT   finish open messages and stop; a second one stops at once\n\n"
    "Exit status: 0 stopped by a signal; 1 FILE is wrong, or cannot be served; 2 wrong call;\n"
    "3 stopped by a signal, but the store had not reported on some messages, or a thread hung.\n";

int serve_main(int argc, char **argv)
{
        struct server_wish wish = {0};

        for (int i = 1; i < argc; i++) {
                if (strcmp(argv[i], "-c") == 0 && i + 1 < argc)
                        wish.path = argv[++i];
                else if (strcmp(argv[i], "--live") == 0)
                        wish.shows_status_line = true;
                else if (strcmp(argv[i], "--as-root") == 0)
                        wish.may_be_root = true;
                else
                        return usage_fault(
                            serve_help, "serve: \"%s\" is not understood, or its value is missing", argv[i]);
        }
        return wish.path == NULL ? usage_fault(serve_help, "serve: -c FILE is missing") : server_run(&wish);
}
