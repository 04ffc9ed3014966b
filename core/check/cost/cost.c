/* A few additions around each check. */
#include "core/check/cost/cost.h"

static uint32_t questions_of(const struct facts *facts)
{
        return (facts->memo == NULL ? 0 : facts->memo->asked) +
               (facts->senders == NULL ? 0 : facts->senders->asked);
}

struct cost_mark cost_begin(const struct facts *facts)
{
        const struct cost_meter *meter = &facts->meter;

        if (meter->costs == NULL)
                return (struct cost_mark){0};
        return (struct cost_mark){meter->clock_ns == NULL ? 0 : meter->clock_ns(), questions_of(facts)};
}

void cost_end(const struct facts *facts, enum check_id check, struct cost_mark mark)
{
        const struct cost_meter *meter = &facts->meter;

        if (meter->costs == NULL)
                return;
        struct check_cost *cost = &meter->costs->of[check];
        counter_add(&cost->questions, questions_of(facts) - mark.questions);
        if (meter->clock_ns != NULL)
                counter_add(&cost->busy_ns, meter->clock_ns() - mark.ns);
}

void cost_add_wait(struct check_costs *costs, uint64_t waiting, uint64_t ms)
{
        bool is_alone = (waiting & (waiting - 1)) == 0;

        for (uint64_t left = waiting; left != 0; left &= left - 1) {
                struct check_cost *cost = &costs->of[__builtin_ctzll(left)];
                counter_add(&cost->waited_ms, ms);
                counter_add(&cost->alone_ms, is_alone ? ms : 0);
        }
}

void cost_add_judgement(struct check_costs *costs, uint64_t against, uint64_t enforced)
{
        for (uint64_t left = against; left != 0; left &= left - 1) {
                enum check_id check = (enum check_id)__builtin_ctzll(left);
                uint64_t others = against & ~check_bit(check);
                counter_add(&costs->of[check].against, 1);
                counter_add(&costs->of[check].alone, (others & enforced) == 0);
                for (; others != 0; others &= others - 1)
                        counter_add(&costs->together[check][__builtin_ctzll(others)], 1);
        }
}
