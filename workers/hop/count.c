/* What is counted of each next hop, and of all of them. */
#include "workers/hop/internal.h"

static const enum metric_id metric_of[FIGURE_COUNT] = {
#define FIGURE(name, kind, metric, help) [FIGURE_##name] = metric,
#include "workers/hop/figures.def"
#undef FIGURE
};

enum kind { KIND_TOTAL, KIND_NOW };

static const bool is_now[FIGURE_COUNT] = {
#define FIGURE(name, kind, metric, help) [FIGURE_##name] = KIND_##kind == KIND_NOW,
#include "workers/hop/figures.def"
#undef FIGURE
};

void hop_count(struct hop_thread *thread, struct hop_target *target, enum figure figure)
{
        counter_add(&target->figures->numbers[figure], 1);
        if (metric_of[figure] != METRIC_COUNT)
                counter_add(&thread->counters.metrics[metric_of[figure]], 1);
}

void hop_count_fates(struct hop_thread *thread, struct hop_target *target, const struct transfer *transfer)
{
        static const enum figure figures[] = {
            [FATE_DELIVERED] = FIGURE_delivered, [FATE_REFUSED] = FIGURE_refused,
            [FATE_DEFERRED] = FIGURE_deferred,   [FATE_BROKEN] = FIGURE_broken,
            [FATE_UNKNOWN] = FIGURE_unknown,     [FATE_ABANDONED] = FIGURE_COUNT,
        };

        for (uint32_t i = 0; i < transfer->recipient_count; i++) {
                const struct transfer_recipient *recipient = &transfer->recipients[i];
                if (recipient->is_settled && figures[recipient->fate] != FIGURE_COUNT)
                        hop_count(thread, target, figures[recipient->fate]);
        }
}

/* Those of kind NOW; the others are not looked at. */
static void look(const struct hop_thread *thread, const struct hop_target *target, uint64_t *ret_numbers)
{
        ret_numbers[FIGURE_waiting] = target->waiting_count;
        ret_numbers[FIGURE_busy] = target->busy;
        ret_numbers[FIGURE_connections] = target->connection_count;
        ret_numbers[FIGURE_down] = target_is_failing(thread, target);
}

void hop_count_now(struct hop_thread *thread)
{
        uint64_t sums[FIGURE_COUNT] = {0}, numbers[FIGURE_COUNT] = {0};
        const struct hop_target *target;

        /* Those that differ in what stands behind them have one row. */
        LIST_FOREACH(target, &thread->targets, entry)
        memset(target->figures->now, 0, sizeof target->figures->now);
        LIST_FOREACH(target, &thread->targets, entry)
        {
                look(thread, target, numbers);
                for (enum figure figure = 0; figure < FIGURE_COUNT; figure++) {
                        sums[figure] += numbers[figure];
                        target->figures->now[figure] += numbers[figure];
                }
        }
        LIST_FOREACH(target, &thread->targets, entry)
        for (enum figure figure = 0; figure < FIGURE_COUNT; figure++)
                if (is_now[figure] && target->figures->name[0] != '\0')
                        counter_set(&target->figures->numbers[figure], target->figures->now[figure]);
        for (enum figure figure = 0; figure < FIGURE_COUNT; figure++)
                if (is_now[figure] && metric_of[figure] != METRIC_COUNT)
                        counter_set(&thread->counters.metrics[metric_of[figure]], sums[figure]);
}

void hop_count_gone(struct hop_target *target)
{
        for (enum figure figure = 0; figure < FIGURE_COUNT; figure++)
                if (is_now[figure])
                        counter_set(&target->figures->numbers[figure], 0);
}
