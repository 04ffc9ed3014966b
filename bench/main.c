/* gatepost-bench: the table of subcommands. */
#include "bench/load/idle.h"
#include "bench/load/run.h"
#include "bench/options.h"
#include "bench/peers/floor.h"
#include "bench/report/compare.h"
#include "bench/suite/suite.h"

#include <string.h>

static const struct subcommand {
        const char *name;
        int (*run)(const struct bench_options *options, int count, char **arguments);
        /* So many concurrencies are tried without --concurrency. */
        unsigned concurrency_count;
        /* Whether it takes words that are no options. */
        bool has_arguments;
} subcommands[] = {
    {"run", run_command, 1, true},     {"floor", floor_command, 1, false},
    {"idle", idle_command, 1, true},   {"compare", compare_command, 2, false},
    {"suite", suite_command, 1, true},
};

static const struct subcommand *subcommand_find(const char *name)
{
        for (size_t i = 0; i < sizeof subcommands / sizeof subcommands[0]; i++)
                if (strcmp(subcommands[i].name, name) == 0)
                        return &subcommands[i];
        return NULL;
}

int main(int count, char **arguments)
{
        const struct subcommand *subcommand = subcommand_find(count < 2 ? "" : arguments[1]);
        unsigned concurrency_count = subcommand == NULL ? 1 : subcommand->concurrency_count;
        int first;
        struct bench_options options = options_read(count, arguments, concurrency_count, &first);

        if (subcommand == NULL || (first < count && !subcommand->has_arguments))
                options_show_usage();
        return subcommand->run(&options, count - first, arguments + first);
}
