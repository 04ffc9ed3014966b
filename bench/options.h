/* The options of the command line, which are those of all subcommands. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CONCURRENCIES_MAX 8
#define ROUNDS_MAX        64 /* of compare and suite */

struct bench_options {
        struct sockaddr_in server; /* port 0: none given */
        const char *peer;          /* started by the bench; NULL: none */
        pid_t pid;                 /* of a server that runs already; 0: unknown */
        unsigned threads;          /* 0: the subcommand's own number */
        unsigned concurrencies[CONCURRENCIES_MAX];
        unsigned concurrency_count;
        double rate;       /* sessions a second; 0: closed loop */
        double seconds;    /* measured, after the start-up */
        uint64_t sessions; /* 0: by time */
        double timeout_s;  /* a session that gets nowhere for so long has failed */
        unsigned rounds;
        unsigned
            variety; /* clients and names of a scenario; 0: as many as there are, so that none is cached */
        unsigned dns_latency_ms, dns_loss_percent;
        unsigned workers;    /* of gatepost; 0: one a core */
        bool is_without_dns; /* gatepost gets no resolver: checks that need one are off */
        const char *more;    /* lines for gatepost's configuration; NULL: none */
        bool is_quick;
        bool is_install;
        bool counts_syscalls;
        const char *durable; /* folder of the floor server's messages */
        const char *peers, *only;
        const char *scenarios; /* folder */
        const char *build;     /* folder of the programs */
        const char *out;       /* folder of reports */
        const char *work;      /* folder under which servers keep their files: on a real disk */
        const char *json;
};

/* Reads what stands behind the subcommand, which is the first argument; ends the program on a mistake.
 * `concurrency_count`, at most 2: how many of the concurrencies there are without --concurrency.
 * *ret_first: the first argument that is no option. */
struct bench_options options_read(int count, char **arguments, unsigned concurrency_count, int *ret_first);
/* Ends the program. */
__attribute__((noreturn)) void options_show_usage(void);
