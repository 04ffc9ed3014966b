/* A running server is given an order by its control socket. All subcommands that do so do it here. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

struct ask {
        const char *
            configuration; /* a file, whose option `control` names the socket; it may have faults otherwise */
        const char *order; /* a line without its newline */
        const char *name;  /* by which its failure is told; NULL: the line */
        /* Is given each line of the answer but the last; NULL: they are shown as they are. */
        void (*show)(const json_t *line);
        bool has_no_end; /* lines may come as long as they like, and nobody waits for the last one in vain */
};

/* Gives the order and waits for the outcome. What fails is told on standard error, with the usage from `help` where the
 * call was wrong. Gives the exit status: 0 done, 1 not. */
int ask_server(const struct ask *ask, const char *help);
