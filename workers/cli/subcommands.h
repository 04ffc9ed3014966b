/* The table of subcommands. */
#pragma once

struct subcommand {
        const char *name;
        int (*run)(int argc, char **argv);
        const char *help, *purpose;
};

/* It ends with a row without a name. */
extern const struct subcommand subcommands[];

/* NULL: there is none of this name. */
const struct subcommand *subcommand_find(const char *name);
