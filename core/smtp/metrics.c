/* Names of the counters, and their sums. */
#include "core/smtp/metrics.h"

#include <assert.h>

const char *const metric_names[METRIC_COUNT] = {
#define METRIC(name, kind, help) #name,
#include "core/smtp/metrics.def"
};

const char *const filter_count_names[FILTER_COUNT_COUNT] = {
    [FILTER_COUNT_ASKED] = "asked",       [FILTER_COUNT_REFUSED] = "refused",
    [FILTER_COUNT_DEFERRED] = "deferred", [FILTER_COUNT_DISCARDED] = "discarded",
    [FILTER_COUNT_FAILED] = "failed",     [FILTER_COUNT_MS] = "ms"};

const char *const socketmap_count_names[SOCKETMAP_COUNT_COUNT] = {
    [SOCKETMAP_COUNT_ASKED] = "asked",   [SOCKETMAP_COUNT_JOINED] = "joined",
    [SOCKETMAP_COUNT_FOUND] = "found",   [SOCKETMAP_COUNT_ABSENT] = "absent",
    [SOCKETMAP_COUNT_FAILED] = "failed", [SOCKETMAP_COUNT_CONNECTIONS] = "connections",
    [SOCKETMAP_COUNT_MS] = "ms"};

static_assert(sizeof(struct counters) % sizeof(uint64_t) == 0, "a set is nothing but counters");

void counters_sum(const struct counters_list *list, struct counters *ret_sum)
{
        _Atomic uint64_t *sums = (_Atomic uint64_t *)ret_sum;

        memset(ret_sum, 0, sizeof *ret_sum);
        for (size_t i = 0; i < list->count; i++) {
                const _Atomic uint64_t *counts = (const _Atomic uint64_t *)list->sets[i];
                for (size_t j = 0; j < sizeof *ret_sum / sizeof *sums; j++)
                        counter_add(&sums[j], counter_read(&counts[j]));
        }
}
