/* Views of the verdicts that a session has already. */
#include "core/smtp/record/measure.h"

void measure_begin(struct session *session)
{
        struct session_host *host = session->host;
        uint64_t every = session->snapshot->options.measure_every;

        if (every == 0 || host->clock_ns == NULL || ++host->unmeasured < every)
                return;
        host->unmeasured = 0;
        session->is_measured = true;
        counter_add(&host->counters->metrics[METRIC_sessions_measured], 1);
}

uint64_t measure_waits(const struct verdict_list *lists, size_t list_count,
                       const struct check_setting *settings)
{
        uint64_t waiting = 0;

        for (size_t i = 0; i < list_count; i++)
                for (uint64_t left = lists[i].waiting; left != 0; left &= left - 1)
                        if (settings[__builtin_ctzll(left)].mode != CHECK_MODE_OFF)
                                waiting |= left & -left;
        return waiting;
}

void measure_wait(struct session *session, uint64_t waits_for)
{
        struct transaction *transaction = session->transaction;

        if (transaction == NULL || session->is_measured)
                return;
        transaction->waits_for = waits_for;
        transaction->waits_since_ms = session->host->now_ms;
}

void measure_wait_over(struct session *session)
{
        struct transaction *transaction = session->transaction;

        if (transaction == NULL || transaction->waits_for == 0)
                return;
        cost_add_wait(&session->host->counters->costs, transaction->waits_for,
                      session->host->now_ms - transaction->waits_since_ms);
        transaction->waits_for = 0;
}

/* Those that refuse or defer, or would; *ret_enforced: of them those that do. */
static uint64_t find_against(const struct verdict_list *lists, size_t list_count,
                             const struct check_setting *settings, uint64_t *ret_enforced)
{
        uint64_t against = 0;

        *ret_enforced = 0;
        for (size_t i = 0; i < list_count; i++)
                for (const struct verdict *verdict = lists[i].first; verdict != NULL;
                     verdict = verdict->next) {
                        enum check_mode mode = settings[verdict->check].mode;
                        if (mode == CHECK_MODE_OFF)
                                continue;
                        against |= check_bit(verdict->check);
                        if (mode == CHECK_MODE_ENFORCE && !verdict->only_observes)
                                *ret_enforced |= check_bit(verdict->check);
                }
        return against;
}

void measure_judgement(struct session *session, const struct verdict_list *lists, size_t list_count,
                       const struct check_setting *settings)
{
        uint64_t enforced;

        if (!session->is_measured)
                return;
        uint64_t against = find_against(lists, list_count, settings, &enforced);
        if (against != 0)
                cost_add_judgement(&session->host->counters->costs, against, enforced);
}

void measure_rule(struct session *session, enum check_id rule)
{
        const struct verdict_list lists[] = {session->verdicts, session->transaction->verdicts};
        const struct check_setting *settings = session->snapshot->checks;
        uint64_t enforced;

        if (!session->is_measured || measure_waits(lists, 2, settings) != 0)
                return;
        uint64_t against = find_against(lists, 2, settings, &enforced) | check_bit(rule);
        cost_add_judgement(&session->host->counters->costs, against, enforced | check_bit(rule));
}
