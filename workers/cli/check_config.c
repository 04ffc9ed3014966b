/* gatepost check-config: what is wrong with a configuration, and every option with its default. */
#include "workers/cli/check_config.h"

#include "conf/build/load.h"
#include "conf/value/print.h"

#include <stdio.h>

static int check(const char *path)
{
        struct conf_complaints complaints = {0};
        struct snapshot *snapshot = snapshot_load(path, &complaints);

        if (complaints.text != NULL)
                fputs(complaints.text, stderr);
        printf("%s: %u errors, %u warnings\n", path, complaints.errors, complaints.warnings);
        conf_complaints_end(&complaints);
        if (snapshot == NULL)
                return 1;
        snapshot_free(snapshot);
        return 0;
}

int check_config_main(int argc, char **argv)
{
        if (argc == 2 && strcmp(argv[1], "--print") == 0) {
                options_print(stdout);
                return fflush(stdout) == 0 ? 0 : 1;
        }
        if (argc == 3 && strcmp(argv[1], "-c") == 0)
                return check(argv[2]);
        fputs("usage: gatepost check-config -c FILE | --print\n", stderr);
        return 2;
}
