/* The options of the command line, which are those of all subcommands. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CONCURRENCIES_MAX 8
#define ROUNDS_MAX        64 /* of compare and suite */

struct bench_options {
        const char *command; /* as it was called */
        /* Servers. */
        struct sockaddr_in server; /* port 0: none given */
        /* The server that the bench starts; NULL if it starts none. */
        const char *peer;
        /* The process of a server that runs already; 0 if it is unknown. */
        pid_t pid;
        const char *peers;   /* names, with commas between them; NULL: all */
        unsigned workers;    /* of gatepost; 0: one a core */
        const char *durable; /* folder of the floor server's messages */
        /* Folder of the floor server's certificates; NULL: it has no TLS. */
        const char *certificates;
        /* No server has certificates. */
        bool is_without_tls;
        /* Gatepost's program; NULL: that of our build. */
        const char *program;
        /* Another program of gatepost, which the suite compares ours with; NULL if there is none. */
        const char *before;
        /* Gatepost gets no resolver, so that checks which need one are off. */
        bool is_without_dns;
        /* Further lines of gatepost's configuration; NULL if there are none. */
        const char *more;

        /* The load. */
        unsigned threads; /* 0: the subcommand's own number */
        unsigned concurrencies[CONCURRENCIES_MAX];
        unsigned concurrency_count;
        double rate;       /* sessions a second; 0: closed loop */
        double seconds;    /* measured, after the start-up */
        uint64_t sessions; /* 0: by time */
        /* A session that gets nowhere for so long has failed. */
        double timeout_s;
        /* Clients and names of a scenario; 0 means as many as there are, so that none is cached. */
        unsigned variety;
        unsigned dns_latency_ms, dns_loss_percent;

        /* What is run and told. */
        unsigned rounds;
        bool is_quick;
        bool is_install;
        bool counts_syscalls;
        const char *only; /* scenarios, with commas between them; NULL: all */
        const char *json; /* file of run's figures; NULL: none */

        /* Folders. */
        const char *scenarios;
        const char *build; /* of the programs */
        const char *out;   /* of reports */
        /* Servers keep their files below it; it is on a real disk. */
        const char *work;
};

/* Reads what stands behind the subcommand, which is the first argument; ends the program on a mistake.
 * `concurrency_count`, at most 2: how many of the concurrencies there are without --concurrency. *ret_first:
 * the first argument that is no option. */
struct bench_options options_read(int count, char **arguments, unsigned concurrency_count, int *ret_first);
/* Prints the usage on stderr and ends the program. */
__attribute__((noreturn)) void options_show_usage(void);
