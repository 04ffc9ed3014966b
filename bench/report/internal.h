/* The outcome of a comparison, and the reports of it. */
#pragma once

#include "bench/load/scenario.h"
#include "bench/options.h"
#include "bench/peers/table.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define CASES_MAX 64

enum figure {
        FIGURE_RATE, /* sessions a second */
        FIGURE_CPU,  /* server CPU us a session */
        FIGURE_P50,  /* us of a whole session */
        FIGURE_P99,
        FIGURE_P99_9,
        FIGURE_SWITCHES,  /* the server's context switches a session */
        FIGURE_GENERATOR, /* generator CPU us a session */
        FIGURES
};

/* The figures of one server under one case, with one value a round. */
struct cell {
        const struct workload *workload; /* as it is with this server */
        double values[FIGURES][ROUNDS_MAX];
        unsigned rounds;
        uint64_t sessions, failures;
        json_t *syscalls; /* a session, by kind; NULL: not counted */
};

struct compare_case {
        const struct workload *workload;
        unsigned concurrency;
        struct cell cells[PEERS];
};

struct comparison {
        const struct bench_options *options;
        enum peer_kind peers[PEERS];
        unsigned peer_count;
        struct compare_case cases[CASES_MAX];
        unsigned case_count;
        double idle_octets[PEERS]; /* less than 0: not measured */
        const char *cpu_source;
        char machine[480], date[32];
};

struct spread {
        double low, median, high;
};

enum target_state {
        TARGET_NONE,
        TARGET_MET,
        TARGET_MISSED,
};

struct spread spread_of(const struct cell *cell, enum figure figure);
/* The ratio of `peer` to `base` in the same round, because the machine's mood is that of the round; zeros
 * without one of them. */
struct spread ratio_of(const struct comparison *comparison, const struct compare_case *compare_case,
                       enum peer_kind peer, enum peer_kind base, enum figure figure);

/* What gatepost is to reach in one case. */
struct target {
        enum peer_kind base;
        enum figure figure;
        char bound[32]; /* "at least 0.80" */
        struct spread ratio;
        enum target_state state;
};

extern const unsigned target_count;
/* Row `number` of targets.def, with the state TARGET_NONE where it does not apply or was not measured. */
struct target target_of(const struct comparison *comparison, const struct compare_case *compare_case,
                        unsigned number);

/* Prints the table on stdout. */
void report_print(const struct comparison *comparison);
/* False when the file cannot be written. */
bool report_write_json(const struct comparison *comparison, const char *path);
/* Writes the table of FOLDER/suite.json; nothing when there is no such file. */
void report_put_suite(FILE *out, const char *folder);
/* False when the page cannot be written. It has the suite's table too. */
bool report_write_html(const struct comparison *comparison, const char *path);
