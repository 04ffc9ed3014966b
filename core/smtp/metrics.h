/* Counters, one set for each worker: written by its owner alone, read by anybody at any time. */
#pragma once

#include "conf/snapshot.h"
#include "core/check/cost/cost.h"
#include "core/base/count/histogram.h"

enum metric_id {
#define METRIC(name, kind, help) METRIC_##name,
#include "core/smtp/metrics.def"
        METRIC_COUNT
};

enum time_id {
        TIME_NONE, /* a place that nobody counts in */
#define TIME(name, ...) TIME_##name,
#include "core/smtp/metrics.def"
        TIME_COUNT
};

/* From 200 on; no code of ours is lower, or higher than 599. */
#define REPLY_CODE_MIN   200
#define REPLY_CODE_COUNT 400

/* What becomes of a recipient of a domain of ours. */
enum recipient_outcome { RECIPIENT_ACCEPTED, RECIPIENT_DEFERRED, RECIPIENT_REFUSED, RECIPIENT_OUTCOME_COUNT };

/* What becomes of questions to a mail filter, each of which is about a recipient or about a text. */
enum filter_count {
        FILTER_COUNT_ASKED,
        FILTER_COUNT_REFUSED,
        FILTER_COUNT_DEFERRED,
        FILTER_COUNT_DISCARDED,
        FILTER_COUNT_FAILED,
        FILTER_COUNT_MS, /* that it took for all of them together */
        FILTER_COUNT_COUNT
};

/* What becomes of questions of sessions to a daemon that knows recipients. */
enum socketmap_count {
        SOCKETMAP_COUNT_ASKED,
        SOCKETMAP_COUNT_JOINED, /* of them: an equal one was on its way already */
        SOCKETMAP_COUNT_FOUND,
        SOCKETMAP_COUNT_ABSENT,
        SOCKETMAP_COUNT_FAILED,
        SOCKETMAP_COUNT_CONNECTIONS, /* that were begun */
        SOCKETMAP_COUNT_MS,          /* that the answers took, all of them together */
        SOCKETMAP_COUNT_COUNT
};

struct counters {
        _Atomic uint64_t metrics[METRIC_COUNT];
        _Atomic uint64_t refused[CHECK_COUNT];
        _Atomic uint64_t deferred[CHECK_COUNT];
        /* Sessions whose client each zone was asked about, and listed, by the zone's count_index. */
        _Atomic uint64_t zone_asked[ZONE_COUNTERS_MAX], zone_listed[ZONE_COUNTERS_MAX];
        _Atomic uint64_t filter_counts[FILTER_COUNTERS_MAX][FILTER_COUNT_COUNT];          /* by count_index */
        _Atomic uint64_t socketmap_counts[SOCKETMAP_COUNTERS_MAX][SOCKETMAP_COUNT_COUNT]; /* the same */
        _Atomic uint64_t observed[CHECK_COUNT];     /* what observe mode would have refused or deferred */
        _Atomic uint64_t replies[REPLY_CODE_COUNT]; /* of sessions, by their code */
        _Atomic uint64_t domain_recipients[DOMAIN_COUNTERS_MAX][RECIPIENT_OUTCOME_COUNT];
        struct histogram times[TIME_COUNT];
        struct check_costs costs;
};

/* The sets of all threads that count. */
struct counters_list {
        const struct counters **sets;
        size_t count;
};

/* Any thread: *ret_sum is what all of them have counted by now. */
void counters_sum(const struct counters_list *list, struct counters *ret_sum);

extern const char *const filter_count_names[FILTER_COUNT_COUNT];
extern const char *const socketmap_count_names[SOCKETMAP_COUNT_COUNT];
/* Indexed by enum metric_id. */
extern const char *const metric_names[METRIC_COUNT];
