/* Counters, one set for each worker: written by its owner alone, read by anybody at any time. */
#pragma once

#include "conf/snapshot.h"
#include "core/base/count/histogram.h"

enum metric_id {
#define METRIC(name, kind, help) METRIC_##name,
#include "core/smtp/metrics.def"
        METRIC_COUNT
};

enum time_id {
        TIME_NONE, /* a place that nobody counts in */
#define TIME(name, metric, stage, help) TIME_##name,
#include "core/smtp/metrics.def"
        TIME_COUNT
};

#define REPLY_CLASSES 6 /* the first digit of a code; there are replies from 2 to 5 */

struct counters {
        _Atomic uint64_t metrics[METRIC_COUNT];
        _Atomic uint64_t refused[CHECK_COUNT];
        _Atomic uint64_t deferred[CHECK_COUNT];
        /* Sessions whose client each zone of the snapshot was asked about, and listed; index as there. */
        _Atomic uint64_t zone_asked[DNSBL_ZONES_MAX], zone_listed[DNSBL_ZONES_MAX];
        _Atomic uint64_t observed[CHECK_COUNT];  /* what observe mode would have refused or deferred */
        _Atomic uint64_t replies[REPLY_CLASSES]; /* of sessions */
        struct histogram times[TIME_COUNT];
};

/* The sets of all threads that count. */
struct counters_list {
        const struct counters **sets;
        size_t count;
};

/* Any thread: *ret_sum is what all of them have counted by now. */
void counters_sum(const struct counters_list *list, struct counters *ret_sum);

/* Indexed by enum metric_id. */
extern const char *const metric_names[METRIC_COUNT];
