/* Between protocol and policy: the facts that a session knows, and what verdicts on them mean for it. */
#include "core/check/authorship.h"
#include "core/check/hooks.h"
#include "core/smtp/internal.h"
#include "core/smtp/record/measure.h"
#include "core/smtp/trace.h"

struct facts stage_facts(const struct session *session, struct arena *arena, struct memo *memo)
{
        struct transaction *transaction = session->transaction;
        struct facts facts = {
            .snapshot = session->snapshot,
            .client = session->peer.client,
            .client_has_good_history = rate_spares(session),
            .is_terse = session->host->rung >= RUNG_terse,
            .helo = session->helo,
            .memo = memo,
            .meter = {&session->host->counters->costs, session->is_measured ? session->host->clock_ns : NULL},
            .wall_s = session->host->wall_ms / 1000,
            .arena = arena,
        };
        memo->asker.looks_only = session_looks_only(session);
        if (transaction != NULL) {
                facts.sender = transaction->message.sender;
                facts.sender_domain = transaction->sender_domain;
                facts.sender_domain_ascii = transaction->sender_domain_ascii;
                facts.sender_is_null = transaction->sender_is_null;
                facts.recipients = transaction->message.recipients;
                facts.recipients_accepted = transaction->message.recipient_count;
                facts.senders = &transaction->senders;
                facts.memory = &transaction->memory;
        }
        return facts;
}

static void run_transaction_stage(struct session *session, enum stage stage, struct verdict_list *list)
{
        struct transaction *transaction = session->transaction;
        struct facts facts = stage_facts(session, &transaction->arena, &transaction->memo);
        if (!session->is_trusted)
                pipeline_run(&facts, stage, list);
}

void stage_connect(struct session *session)
{
        trace_prepare(session);
        if (session->is_trusted)
                return;
        struct facts facts = stage_facts(session, &session->arena, &session->memo);
        pipeline_run(&facts, STAGE_CONNECT, &session->verdicts);
        hooks_prepare(&facts);
}

void stage_helo(struct session *session)
{
        struct facts facts = stage_facts(session, &session->arena, &session->memo);

        memo_begin_stage(&session->memo);
        if (!session->is_trusted)
                pipeline_run(&facts, STAGE_HELO, &session->verdicts);
}

/* Their questions may be in flight still: nobody waits for the answers any longer. */
void stage_forget_helo(struct session *session)
{
        verdict_list_forget(&session->verdicts, STAGE_HELO);
}

void stage_mail(struct session *session)
{
        trace_prepare(session);
        run_transaction_stage(session, STAGE_MAIL, &session->transaction->verdicts);
}

struct facts stage_recipient_facts(const struct session *session, struct span mailbox,
                                   const struct domain *domain)
{
        struct transaction *transaction = session->transaction;
        struct facts facts = stage_facts(session, &transaction->arena, &transaction->memo);

        facts.mailbox = mailbox;
        facts.recipient_domain = domain->name;
        return facts;
}

void stage_rcpt(struct session *session, const struct facts *facts, struct verdict_list *ret_list)
{
        *ret_list = (struct verdict_list){0};
        if (!session->is_trusted)
                pipeline_run(facts, STAGE_RCPT, ret_list);
}

void stage_commit(struct session *session, const struct facts *facts, const struct check_setting *settings,
                  const struct judgement *judgement)
{
        if (!session->is_trusted && judgement->result != VERDICT_WAIT && judgement->result != VERDICT_REFUSE)
                hooks_commit(facts, settings);
}

void stage_stored(struct session *session)
{
        struct transaction *transaction = session->transaction;
        struct facts facts = stage_facts(session, &transaction->arena, &transaction->memo);

        if (!session->is_trusted)
                hooks_stored(&facts);
}

static void settle(struct session *session)
{
        struct transaction *transaction = session->transaction;

        if (session->verdicts.waiting != 0) {
                struct facts facts = stage_facts(session, &session->arena, &session->memo);
                pipeline_resume(&facts, STAGE_CONNECT, &session->verdicts);
                pipeline_resume(&facts, STAGE_HELO, &session->verdicts);
        }
        if (transaction != NULL && transaction->verdicts.waiting != 0) {
                struct facts facts = stage_facts(session, &transaction->arena, &transaction->memo);
                pipeline_resume(&facts, STAGE_MAIL, &transaction->verdicts);
        }
}

bool stage_helo_waits(struct session *session)
{
        settle(session);
        for (uint64_t left = session->verdicts.waiting; left != 0; left &= left - 1)
                if (check_infos[__builtin_ctzll(left)].stage == STAGE_HELO)
                        return true;
        return false;
}

void stage_count_zones(struct session *session)
{
        struct counters *counters = session->host->counters;

        if (session->is_trusted || session->memo.asked == 0 || session->verdicts.waiting != 0)
                return;
        session->memo.quota = session->memo.asked; /* what no check wanted to know is not asked for now */
        struct facts facts = stage_facts(session, &session->arena, &session->memo);
        struct zone_marks marks = hooks_mark_zones(&facts);
        for (uint32_t left = marks.asked; left != 0; left &= left - 1) {
                int zone = __builtin_ctz(left);
                uint8_t index = session->snapshot->zones[zone].count_index;
                counter_add(&counters->zone_asked[index], 1);
                counter_add(&counters->zone_listed[index], marks.listed >> zone & 1);
        }
}

static void note_finding(struct session *session, const struct verdict *verdict,
                         const struct check_setting *setting)
{
        if (verdict->reply == REPLY_out_of_memory)
                counter_add(&session->host->counters->metrics[METRIC_verdicts_lost], 1);
        record_finding(session, verdict, setting);
}

static void note_observed(struct session *session, const struct verdict_list *lists, size_t list_count,
                          const struct check_setting *settings, uint64_t observed)
{
        for (; observed != 0; observed &= observed - 1) {
                enum check_id check = (enum check_id)__builtin_ctzll(observed);
                counter_add(&session->host->counters->observed[check], 1);
                note_finding(session, verdict_of(lists, list_count, check), &settings[check]);
        }
}

static void note_verdict(struct session *session, const struct judgement *judgement)
{
        struct counters *counters = session->host->counters;

        session->was_refused |= judgement->result == VERDICT_REFUSE;
        counter_add(judgement->result == VERDICT_REFUSE ? &counters->refused[judgement->verdict->check]
                                                        : &counters->deferred[judgement->verdict->check],
                    1);
        note_finding(session, judgement->verdict, judgement->setting);
}

/* For whom DNS is not asked nothing waits but what counts: a check that only observes defers nobody. */
static struct judgement combine_what_counts(const struct verdict_list *lists, size_t list_count,
                                            const struct check_setting *settings, uint64_t *ret_observed)
{
        struct check_setting counting[CHECK_COUNT];

        memcpy(counting, settings, sizeof counting);
        for (enum check_id check = 0; check < CHECK_COUNT; check++)
                if (counting[check].mode == CHECK_MODE_OBSERVE)
                        counting[check].mode = CHECK_MODE_OFF;
        struct judgement judgement = pipeline_combine(lists, list_count, counting, ret_observed);
        if (judgement.setting != NULL)
                judgement.setting = &settings[judgement.setting - counting];
        return judgement;
}

/* Who waits, waits for all; for whom DNS is not asked, what counts decides. Where it is measured what checks have to
 * say a refusal waits for those behind it. */
static struct judgement combine(const struct session *session, const struct verdict_list *lists,
                                size_t list_count, const struct check_setting *settings,
                                uint64_t *ret_observed)
{
        struct judgement judgement = pipeline_combine(lists, list_count, settings, ret_observed);

        if (judgement.result == VERDICT_WAIT && session_defers(session))
                return combine_what_counts(lists, list_count, settings, ret_observed);
        if (judgement.result == VERDICT_REFUSE && session->is_measured && !session_defers(session) &&
            measure_waits(lists, list_count, settings) != 0) {
                *ret_observed = 0;
                return (struct judgement){.result = VERDICT_WAIT};
        }
        return judgement;
}

struct lists {
        struct verdict_list of[3];
};

static struct lists gather(const struct session *session, const struct verdict_list *extra)
{
        const struct transaction *transaction = session->transaction;

        return (struct lists){{
            session->verdicts,
            transaction == NULL ? (struct verdict_list){0} : transaction->verdicts,
            extra == NULL ? (struct verdict_list){0} : *extra,
        }};
}

bool stage_passes(struct session *session, const struct check_setting *settings,
                  const struct verdict_list *extra)
{
        uint64_t observed;

        settle(session);
        struct lists gathered = gather(session, extra);
        return pipeline_combine(gathered.of, 3, settings, &observed).result == VERDICT_PASS;
}

struct judgement stage_judge(struct session *session, const struct check_setting *settings,
                             const struct verdict_list *extra)
{
        uint64_t observed;

        settle(session);
        struct lists gathered = gather(session, extra);
        const struct verdict_list *lists = gathered.of;
        if (verdict_list_is_empty(&lists[0]) && verdict_list_is_empty(&lists[1]) &&
            verdict_list_is_empty(&lists[2]))
                return (struct judgement){.result = VERDICT_PASS};
        struct judgement judgement = combine(session, lists, 3, settings, &observed);
        if (judgement.result == VERDICT_WAIT)
                measure_wait(session, measure_waits(lists, 3, settings));
        else
                measure_judgement(session, lists, 3, settings);
        note_observed(session, lists, 3, settings, observed);
        if (judgement.verdict != NULL)
                note_verdict(session, &judgement);
        return judgement;
}

/* What DMARC wants in quarantine reaches the domains that refuse such mail; others mark it. */
static void leave_quarantine_to(const struct domain *domain, const struct verdict_list *list,
                                struct check_setting settings[static CHECK_COUNT])
{
        for (const struct verdict *verdict = list->first; verdict != NULL; verdict = verdict->next)
                if (authorship_leaves(verdict, domain))
                        settings[verdict->check].mode = CHECK_MODE_OFF;
}

/* What stands against a text for one recipient, and the settings under which it does. */
static struct judgement combine_text(const struct session *session, const struct verdict_list *list,
                                     const struct recipient *recipient,
                                     struct check_setting ret_settings[static CHECK_COUNT],
                                     uint64_t *ret_observed)
{
        const struct check_setting *own = recipient_checks(recipient);

        memcpy(ret_settings, own, CHECK_COUNT * sizeof *ret_settings);
        leave_quarantine_to(recipient->domain, list, ret_settings);
        struct judgement judgement = combine(session, list, 1, ret_settings, ret_observed);
        if (judgement.setting != NULL)
                judgement.setting = &own[judgement.setting - ret_settings];
        return judgement;
}

/* The policy of a recipient's domain waits for an answer. */
static bool text_waits(const struct session *session, const struct verdict_list *list)
{
        struct check_setting settings[CHECK_COUNT];
        uint64_t observed;

        if (list->waiting == 0)
                return false;
        for (const struct recipient *recipient = session->transaction->message.recipients; recipient != NULL;
             recipient = recipient->next)
                if (!recipient->is_postmaster &&
                    combine_text(session, list, recipient, settings, &observed).result == VERDICT_WAIT)
                        return true;
        return false;
}

static uint64_t text_waits_for(const struct session *session, const struct verdict_list *list)
{
        uint64_t waits_for = 0;

        for (const struct recipient *recipient = session->transaction->message.recipients; recipient != NULL;
             recipient = recipient->next)
                if (!recipient->is_postmaster)
                        waits_for |= measure_waits(list, 1, recipient_checks(recipient));
        return waits_for;
}

/* Under the settings of each recipient's domain. A deferral of one is an answer for those who refuse, too: it
 * costs them another look, and him no mail. */
static struct judgement combine_domains(struct session *session, const struct verdict_list *list)
{
        struct judgement judgement = {.result = VERDICT_PASS};
        struct check_setting settings[CHECK_COUNT];
        bool is_taken = false;
        uint64_t observed;

        for (const struct recipient *recipient = session->transaction->message.recipients; recipient != NULL;
             recipient = recipient->next) {
                if (recipient->is_postmaster)
                        continue;
                struct judgement own = combine_text(session, list, recipient, settings, &observed);
                measure_judgement(session, list, 1, settings);
                note_observed(session, list, 1, recipient_checks(recipient), observed);
                if (own.verdict == NULL)
                        is_taken = true;
                else if (judgement.result != VERDICT_DEFER)
                        judgement = own;
        }
        if (!is_taken || judgement.verdict == NULL)
                return judgement;
        counter_add(&session->host->counters->observed[judgement.verdict->check], 1);
        record_finding(session, judgement.verdict, judgement.setting);
        return (struct judgement){.result = VERDICT_PASS};
}

static struct judgement judge_text(struct session *session)
{
        const struct verdict_list *list = &session->transaction->text_verdicts;

        if (text_waits(session, list) || text_readers_wait(session)) {
                measure_wait(session, text_waits_for(session, list));
                return (struct judgement){.result = VERDICT_WAIT};
        }
        if (session->tape != NULL)
                tape_text(session, REPLY_NONE);
        if (verdict_list_is_empty(list))
                return (struct judgement){.result = VERDICT_PASS};
        struct judgement judgement = combine_domains(session, list);
        if (judgement.result != VERDICT_PASS)
                note_verdict(session, &judgement);
        return judgement;
}

struct judgement stage_data(struct session *session)
{
        text_readers_end(session);
        if (session->host->recall != NULL) {
                tape_judge_text(session, &session->transaction->text_verdicts);
                return judge_text(session);
        }
        memo_begin_stage(&session->transaction->memo);
        sender_memo_begin_stage(&session->transaction->senders);
        run_transaction_stage(session, STAGE_DATA, &session->transaction->text_verdicts);
        return judge_text(session);
}

struct judgement stage_data_again(struct session *session)
{
        struct transaction *transaction = session->transaction;
        struct facts facts = stage_facts(session, &transaction->arena, &transaction->memo);

        pipeline_resume(&facts, STAGE_DATA, &transaction->text_verdicts);
        return judge_text(session);
}
