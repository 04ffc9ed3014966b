/* Between protocol and policy: the facts that a session knows, and what verdicts on them mean for it. */
#include "core/smtp/internal.h"

static struct facts facts_of(struct session *session, struct arena *arena)
{
        const struct transaction *transaction = session->transaction;
        struct facts facts = {
            .snapshot = session->snapshot,
            .client = session->peer.client,
            .helo = session->helo,
            .arena = arena,
        };
        if (transaction != NULL) {
                facts.sender = transaction->message.sender;
                facts.sender_domain = transaction->sender_domain;
                facts.sender_is_null = transaction->sender_is_null;
                facts.recipients_accepted = transaction->message.recipient_count;
        }
        return facts;
}

static void stage_run(struct session *session, enum stage stage, struct arena *arena,
                      struct verdict_list *list)
{
        if (session->is_trusted)
                return;
        struct facts facts = facts_of(session, arena);
        pipeline_run(&facts, stage, list);
}

void stage_helo(struct session *session)
{
        stage_run(session, STAGE_HELO, &session->arena, &session->verdicts);
}

void stage_mail(struct session *session)
{
        stage_run(session, STAGE_MAIL, &session->transaction->arena, &session->transaction->verdicts);
}

void stage_rcpt(struct session *session, struct verdict_list *ret_list)
{
        *ret_list = (struct verdict_list){0};
        stage_run(session, STAGE_RCPT, &session->transaction->arena, ret_list);
}

static void note_observed(struct session *session, const struct verdict_list *lists, size_t list_count,
                          const struct check_setting *settings, uint64_t observed)
{
        for (; observed != 0; observed &= observed - 1) {
                enum check_id check = (enum check_id)__builtin_ctzll(observed);
                counter_add(&session->host->counters->observed[check], 1);
                record_finding(session, verdict_of(lists, list_count, check), &settings[check]);
        }
}

struct judgement stage_judge(struct session *session, const struct check_setting *settings,
                             const struct verdict_list *extra)
{
        const struct transaction *transaction = session->transaction;
        struct verdict_list lists[3] = {
            session->verdicts,
            transaction == NULL ? (struct verdict_list){0} : transaction->verdicts,
            extra == NULL ? (struct verdict_list){0} : *extra,
        };
        uint64_t observed;

        if (lists[0].first == NULL && lists[1].first == NULL && lists[2].first == NULL)
                return (struct judgement){.result = VERDICT_PASS};
        struct judgement judgement = pipeline_combine(lists, 3, settings, &observed);
        note_observed(session, lists, 3, settings, observed);
        if (judgement.result != VERDICT_PASS) {
                struct counters *counters = session->host->counters;
                counter_add(judgement.result == VERDICT_REFUSE
                                ? &counters->refused[judgement.verdict->check]
                                : &counters->deferred[judgement.verdict->check],
                            1);
                record_finding(session, judgement.verdict, judgement.setting);
        }
        return judgement;
}
