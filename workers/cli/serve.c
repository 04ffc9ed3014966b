/* gatepost serve: the server itself. */
#include "workers/cli/serve.h"

#include "workers/cli/usage.h"
#include "workers/server/server.h"

const char serve_help[] =
    "usage: gatepost serve -c FILE [--live]\n\n"
    "Receives mail, in the foreground. --live prints a status line: on a terminal each second, elsewhere "
    "when\n"
    "it has changed.\n"
    "SIGHUP    reads FILE anew; what is wrong with it is told, and then nothing changes\n"
    "SIGUSR1   opens the log anew, after a rotation\n"
    "SIGUSR2   writes all counters to the log, as events `counters` and `dns`\n"
    "SIGTERM, SIGINT   finish open messages and stop; a second one waits only for those that are being "
    "stored\n\n"
    "Exit status: 0 stopped by a signal; 1 FILE is wrong, or cannot be served; 2 wrong call;\n"
    "3 stopped by a signal, but the store had not reported on some messages, or a thread hung.\n";

int serve_main(int argc, char **argv)
{
        const char *path = NULL;
        bool shows_status_line = false;
        const struct usage_option options[] = {
            {"config", &path, NULL}, {"live", NULL, &shows_status_line}, {0}};

        if (!usage_read_options(serve_help, options, 0, argc, argv))
                return USAGE_STATUS;
        return path == NULL ? usage_fault(serve_help, "serve: -c FILE is missing")
                            : server_run(path, shows_status_line);
}
