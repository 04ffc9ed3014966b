/* Two rings of fixed size. */
#include "workers/server/web/samples.h"

#define SECOND_MS 1000
#define MINUTE_MS 60000
#define EARLY_MS  100 /* a look that comes so little before its time is in time */

void samples_init(struct samples *samples)
{
        samples->minute.next = samples->minute.count = samples->hour.next = samples->hour.count = 0;
        samples->minute.interval_ms = SECOND_MS;
        samples->hour.interval_ms = MINUTE_MS;
}

const struct sample *samples_back(const struct sample_ring *ring, size_t back)
{
        return back < ring->count ? &ring->samples[(ring->next + SAMPLES_COUNT - 1 - back) % SAMPLES_COUNT]
                                  : NULL;
}

const struct sample *samples_oldest(const struct sample_ring *ring)
{
        return ring->count == 0 ? NULL : samples_back(ring, ring->count - 1);
}

static void take(struct sample_ring *ring, const struct counters_list *counters, struct dns_pool *dns,
                 uint64_t now_ms)
{
        const struct sample *newest = samples_back(ring, 0);
        struct sample *sample = &ring->samples[ring->next];

        if (newest != NULL && now_ms + EARLY_MS < newest->at_ms + ring->interval_ms)
                return;
        sample->at_ms = now_ms;
        counters_sum(counters, &sample->counters);
        dns_pool_count(dns, &sample->dns);
        dns_pool_times(dns, &sample->dns_times);
        ring->next = (ring->next + 1) % SAMPLES_COUNT;
        if (ring->count < SAMPLES_COUNT)
                ring->count++;
}

void samples_look(struct samples *samples, const struct counters_list *counters, struct dns_pool *dns,
                  uint64_t now_ms)
{
        take(&samples->minute, counters, dns, now_ms);
        take(&samples->hour, counters, dns, now_ms);
}

static uint64_t number_at(const struct sample *sample, size_t at)
{
        uint64_t number;

        memcpy(&number, (const char *)sample + at, sizeof number);
        return number;
}

uint64_t samples_growth(const struct sample *newer, const struct sample *older, size_t at)
{
        return newer == NULL || older == NULL ? 0 : number_at(newer, at) - number_at(older, at);
}

uint64_t samples_growth_of_hour(const struct samples *samples, size_t at)
{
        return samples_growth(samples_back(&samples->minute, 0), samples_oldest(&samples->hour), at);
}

double samples_rate(const struct sample *newer, const struct sample *older, size_t at)
{
        uint64_t passed_ms = newer == NULL || older == NULL ? 0 : newer->at_ms - older->at_ms;

        return passed_ms == 0 ? 0 : (double)samples_growth(newer, older, at) * 1000 / (double)passed_ms;
}
