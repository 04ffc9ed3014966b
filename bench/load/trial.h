/* One measurement: a workload at one concurrency or rate against one server. */
#pragma once

#include "bench/load/load.h"
#include "bench/measure.h"
#include "bench/options.h"

#include <jansson.h>

struct trial {
        const struct workload *workload;
        unsigned concurrency;
        double rate;    /* asked for; 0: closed loop */
        double seconds; /* measured */
        double sessions_per_s;
        /* These are for a session, and 0 where the server is not watched. */
        double cpu_us, runnable_us, voluntary, involuntary;
        double generator_cpu_us;
        double
            handed_on; /* messages that the sink has had meanwhile, for each session; 0 where none is handed on */
        const char *cpu_source;
        struct load_figures *load;
};

/* With `watched` NULL only what clients see is measured. `label` heads the progress line on stderr. */
struct trial trial_run(const struct bench_options *options, const struct sockaddr_in *server,
                       const struct watched *watched, const struct workload *workload, unsigned concurrency,
                       const char *label);
void trial_free(struct trial *trial);
/* Ends the program when not one session came to its end: there is nothing to tell then. */
void trial_need_sessions(const struct trial *trial, const char *label);
/* A new object with the system calls of a session by kind; NULL when they cannot be counted. */
json_t *trial_syscalls(const struct bench_options *options, const struct sockaddr_in *server,
                       const struct watched *watched, const struct workload *workload);
json_t *trial_json(const struct trial *trial);
void trial_print(const struct trial *trial);
/* Prints the texts of the first wrong replies on stderr. */
void trial_print_failures(const struct trial *trial);
