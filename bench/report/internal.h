/* The outcome of a comparison, and the reports of it. */
#pragma once

#include "bench/judge.h"
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
        FIGURE_HANDED_ON, /* messages that the sink has had meanwhile, for each session */
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
        char versions[PEERS][80];
        double load_before, load_after;
};

/* A figure as it is shown: in units of `divisor`, with so many decimals. */
struct shape {
        double divisor;
        unsigned decimals;
};

extern const struct shape figure_shapes[FIGURES];

struct spread spread_of(const struct cell *cell, enum figure figure);
/* The ratio of `peer` to `base` in the same round, because the machine's mood is that of the round; zeros
 * without one of them. */
struct spread ratio_of(const struct comparison *comparison, const struct compare_case *compare_case,
                       enum peer_kind peer, enum peer_kind base, enum figure figure);

/* The quotient of the medians as they are shown, because a reader finds it beside them; 0 without one of them. */
double quotient_of(const struct compare_case *compare_case, enum peer_kind peer, enum peer_kind base,
                   enum figure figure);

/* What gatepost is to reach in one case: judged by the ratio in each round. */
struct target {
        enum peer_kind base;
        enum figure figure;
        struct bound bound;
        struct spread ratio;
        enum target_state state;
};

/* "server CPU a session"; for figures that have targets. */
const char *figure_name(enum figure figure);

extern const unsigned target_count;
/* Row `number` of targets.def, with the state TARGET_NONE where it does not apply or was not measured. */
struct target target_of(const struct comparison *comparison, const struct compare_case *compare_case,
                        unsigned number);

/* Prints the table on stdout. */
void report_print(const struct comparison *comparison);
/* False when the file cannot be written. */
bool report_write_json(const struct comparison *comparison, const char *path);
/* Writes text with what HTML would take for its own escaped. */
void report_put_text(FILE *out, const char *text);
/* Writes the table of FOLDER/suite.json; nothing when there is no such file. */
void report_put_suite(FILE *out, const char *folder);
/* False when the page cannot be written. It has the suite's table too. */
bool report_write_html(const struct comparison *comparison, const char *path);
