/* What the cases of the suite share. */
#pragma once

#include "bench/judge.h"
#include "bench/load/trial.h"
#include "bench/peers/server.h"

enum measured {
#define TARGET(...)
#define PEER_TARGET(...)
#define MEASURED(name, ...) MEASURED_##name,
#include "bench/targets.def"
#undef TARGET
#undef PEER_TARGET
#undef MEASURED
        MEASURED_COUNT
};

struct suite {
        const struct bench_options *options;
        struct spread values[MEASURED_COUNT];
        double load_before;
        bool is_measured[MEASURED_COUNT];
        uint64_t sessions, failures;
        /* All large numbers are divided by it: 1, or more in a quick run. */
        unsigned divisor;
};

/* Sets a figure and prints it at once, with further ones in `note`. */
__attribute__((format(printf, 4, 5))) void suite_set(struct suite *suite, enum measured measured,
                                                     double value, const char *note, ...);
/* The same with the median of the rounds, whose range then decides whether the target is met. */
__attribute__((format(printf, 5, 6))) void suite_set_rounds(struct suite *suite, enum measured measured,
                                                            const double *values, unsigned rounds,
                                                            const char *note, ...);
/* Does trial_run() against a server of ours; failures are shown and counted. */
struct trial suite_trial(struct suite *suite, const struct bench_options *options,
                         const struct server *server, const char *scenario, unsigned concurrency);
/* Starts gatepost with further lines of configuration; NULL: none. */
struct server *suite_start(const struct bench_options *options, const char *more);
/* Of so many connections at a time those that the limit of descriptors allows, with room for good clients beside. */
unsigned suite_possible(unsigned wanted);
/* p99 of the sessions of good clients, who come at a steady pace for so long, or for the time of a quick run. */
double suite_good_p99_ms(struct suite *suite, const struct server *server, const char *scenario,
                         double seconds);
/* Sets how much more CPU a session of the first server takes than one of the second. Both take turns, in as
 * many rounds as are asked for. */
void suite_set_cost(struct suite *suite, enum measured measured, const struct bench_options *options,
                    struct server *const servers[2], const char *scenario);
/* 0 when there are no values. */
double median_of(const double *values, unsigned count);

/* The cases. */
void suite_dns_cost(struct suite *suite);
void suite_senders(struct suite *suite);
void suite_shadow(struct suite *suite);
void suite_records(struct suite *suite);
void suite_dns_late(struct suite *suite);
void suite_dns_cold(struct suite *suite);
void suite_clients(struct suite *suite);
void suite_parts(struct suite *suite);
void suite_reload(struct suite *suite);
void suite_idle(struct suite *suite);
void suite_growth(struct suite *suite);
void suite_workers(struct suite *suite);
void suite_arrivals(struct suite *suite);
void suite_acceptors(struct suite *suite);
void suite_hops(struct suite *suite);
void suite_hop_dead(struct suite *suite);
void suite_journal(struct suite *suite);
void suite_overload(struct suite *suite);
void suite_tls(struct suite *suite);
