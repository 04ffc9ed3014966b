/* gatepost serve: the server itself. */
#include "workers/cli/serve.h"

#include "workers/server/server.h"

#include <stdio.h>

static int usage(void)
{
        fputs("usage: gatepost serve -c FILE [--live]\n", stderr);
        return 2;
}

int serve_main(int argc, char **argv)
{
        const char *path = NULL;
        bool shows_status_line = false;

        for (int i = 1; i < argc; i++) {
                if (strcmp(argv[i], "-c") == 0 && i + 1 < argc)
                        path = argv[++i];
                else if (strcmp(argv[i], "--live") == 0)
                        shows_status_line = true;
                else
                        return usage();
        }
        return path == NULL ? usage() : server_run(path, shows_status_line);
}
