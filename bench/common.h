/* What the parts of the bench share: options of the command line, the clock, the end on a mistake. */
#pragma once

#include "core/base/expect.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CONCURRENCIES_MAX 8

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

uint64_t bench_now_ns(void);
/* A mistake of the caller or the machine, with the text on stderr. */
__attribute__((noreturn, format(printf, 1, 2))) void bench_fail(const char *format, ...);
/* Descriptors for `count` connections and some more, as far as the machine allows. */
void bench_raise_descriptors(uint64_t count);

int run_command(const struct bench_options *options, int count, char **names);
int idle_command(const struct bench_options *options, int count, char **arguments);
int floor_command(const struct bench_options *options);
int suite_command(const struct bench_options *options, int count, char **cases);
int compare_command(const struct bench_options *options);
