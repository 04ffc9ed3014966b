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
        /* So many sessions are open, in an open loop at most. */
        unsigned concurrency;
        /* Sessions a second, which begin at random moments; 0 in a closed loop. */
        double rate;
        bool is_at_once; /* all begin in the same moment */
        uint64_t timeout_ns;
        /* So many clients and names there are; 0 if each session has its own. */
        unsigned variety;
};

/* The figures of one thread, or of all together. All but failures are counted only while measuring. */
struct load_figures {
        uint64_t sessions, failures;
        uint64_t codes[CODES]; /* replies by code */
        char samples[SAMPLES_MAX][SAMPLE_SIZE];
        /* From connect(), in an open loop from when the session should have begun, to its end, without the
         * client's own pauses. */
        struct histogram session;
        /* From the moment when the client sent its octets to the whole reply. */
        struct histogram steps[SCENARIOS_MAX][STEPS_MAX];
};

struct load;

/* Starts all threads, which end after `sessions_max` sessions (0: by load_stop() only); ends the program when
 * that cannot be. */
struct load *load_start(const struct load_plan *plan, uint64_t sessions_max);
/* Counts the sessions that end from now on until load_stop(). */
void load_measure(struct load *load);
/* How many sessions have ended since load_measure(), and how many have failed. */
uint64_t load_sessions(struct load *load);
uint64_t load_failures(struct load *load);
bool load_is_finished(struct load *load);
/* Begins no new sessions, and counts none that ends from now on. */
void load_stop(struct load *load);
/* Waits for the last session, gives the figures (free() them) and frees the load. */
struct load_figures *load_join(struct load *load);
