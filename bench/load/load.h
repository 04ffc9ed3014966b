/* The load generator: threads with an epoll loop each, whose clients speak SMTP strictly, from many loopback
 * addresses. A wrong reply is a failure, and so is a session that gets nowhere. */
#pragma once

#include "bench/load/histogram.h"
#include "bench/load/scenario.h"

#include <netinet/in.h>
#include <stdatomic.h>

#define SAMPLES_MAX 3
#define SAMPLE_SIZE 320
#define CODES       600

struct load_plan {
        struct sockaddr_in server;
        const struct workload *workload;
        unsigned threads;
        unsigned concurrency; /* open loop: the most that are open at a time */
        double rate;          /* sessions a second, at random moments; 0: closed loop */
        uint64_t timeout_ns;
        unsigned variety; /* clients and names; 0: each session has its own */
};

/* Of one thread, or of all together. What is counted while measuring, except failures: those always are. */
struct load_figures {
        uint64_t sessions, failures;
        uint64_t codes[CODES]; /* replies by code */
        char samples[SAMPLES_MAX][SAMPLE_SIZE];
        struct histogram session; /* closed loop: from connect(); open loop: from when it should have begun;
                                     without the client's own pauses */
        struct histogram steps[SCENARIOS_MAX][STEPS_MAX]; /* from what the client sent to the whole reply */
};

struct load;

/* Starts all threads; ends the program when that cannot be. */
struct load *load_start(const struct load_plan *plan, uint64_t sessions_max);
/* What ends from now on counts, until load_stop(). */
void load_measure(struct load *load);
/* Sessions that ended since load_measure(), and failures. */
uint64_t load_sessions(struct load *load);
uint64_t load_failures(struct load *load);
bool load_is_finished(struct load *load);
/* No new sessions, and what ends from now on does not count. */
void load_stop(struct load *load);
/* Waits for the last session, gives the figures (free() them) and frees the load. */
struct load_figures *load_join(struct load *load);
