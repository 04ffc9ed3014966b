/* What the counters were: once a second for a minute, and once a minute for an hour. Owner: the thread of HTTP. */
#pragma once

#include "core/smtp/metrics.h"
#include "dns/pool/pool.h"

#define SAMPLES_COUNT 61 /* of 60 intervals */

struct sample {
        uint64_t at_ms; /* monotonic; 0: there is none */
        struct counters counters;
        struct dns_pool_counts dns;
        struct histogram dns_times;
};

/* The newest is at next - 1. */
struct sample_ring {
        struct sample samples[SAMPLES_COUNT];
        size_t next, count;
        uint64_t interval_ms;
};

struct samples {
        struct sample_ring minute, hour;
};

void samples_init(struct samples *samples);
/* About once a second: takes what has been counted by now. */
void samples_look(struct samples *samples, const struct counters_list *counters, struct dns_pool *dns,
                  uint64_t now_ms);
/* The sample that is `back` intervals older than the newest one; NULL when there is none so old. */
const struct sample *samples_back(const struct sample_ring *ring, size_t back);
/* The oldest one, at most 60 intervals old; NULL when there is none. */
const struct sample *samples_oldest(const struct sample_ring *ring);

/* Where a number stands in a sample, such as SAMPLE_AT(counters.metrics[METRIC_sessions]). */
#define SAMPLE_AT(member) offsetof(struct sample, member)

/* By how much the number has grown between two samples; 0 where one of them is NULL. */
uint64_t samples_growth(const struct sample *newer, const struct sample *older, size_t at);
/* The same over the last hour, or since the start where that is less. */
uint64_t samples_growth_of_hour(const struct samples *samples, size_t at);
/* The growth between two samples, a second. */
double samples_rate(const struct sample *newer, const struct sample *older, size_t at);
