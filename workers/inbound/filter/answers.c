/* What the answers of filters come to. */
#include "workers/inbound/filter/internal.h"
#include "workers/inbound/worker_log.h"

#define TELL_EVERY_MS 1000 /* of failures of one filter, so that a dead one does not fill the log */

/* ---- counts and events --------------------------------------------------------------------------------- */

static void count(const struct filtering *filtering, const struct mail_filter *filter, enum filter_count what,
                  uint64_t number)
{
        counter_add(&filtering->worker->counters.filter_counts[filter->count_index][what], number);
}

static void count_time(const struct filtering *filtering)
{
        count(filtering, filter_at(filtering), FILTER_COUNT_MS,
              filtering->worker->host.now_ms - filtering->asked_ms);
}

void answer_is_awaited(struct filtering *filtering)
{
        count(filtering, filter_at(filtering), FILTER_COUNT_ASKED, 1);
        filtering->asked_ms = filtering->worker->host.now_ms;
}

static void note_failure(struct filtering *filtering, const struct mail_filter *filter, const char *reason,
                         const char *step)
{
        struct worker *worker = filtering->worker;
        uint64_t *told_ms = &worker->filters->told_ms[filter->count_index];

        count(filtering, filter, FILTER_COUNT_FAILED, 1);
        if (*told_ms != 0 && worker->host.now_ms < *told_ms + TELL_EVERY_MS)
                return;
        *told_ms = worker->host.now_ms;
        worker_log_event(worker, "filter_failed", "filter", filter->name.at, "id",
                         filtering->question.message->id, "reason", reason, "step", step, NULL);
}

/* ---- reports ------------------------------------------------------------------------------------------- */

static void report_failure(struct filtering *filtering, const char *reason)
{
        filtering->report = (struct filter_report){
            .outcome = FILTER_FAILED, .filter = filter_at(filtering), .words = span_from(reason)};
}

static bool fail(struct filtering *filtering, const char *reason, const char *step)
{
        const struct mail_filter *filter = filter_at(filtering);

        note_failure(filtering, filter, reason, step);
        if (filter->options.on_failure == ACTION_PASS) {
                filtering->passed |= UINT32_C(1) << filtering->at;
                return false;
        }
        report_failure(filtering, reason);
        return true;
}

bool answer_of_failure(struct filtering *filtering, const char *reason, const char *step)
{
        count_time(filtering);
        return fail(filtering, reason, step);
}

void answer_of_bound(struct filtering *filtering, const char *reason)
{
        count_time(filtering);
        note_failure(filtering, filter_at(filtering), reason, "CONNECT");
        report_failure(filtering, reason);
}

/* What cannot be done for want of memory is no failure of the filter, and mail does not go on without it; nor does
 * mail for which a quarantine is wanted that cannot be. */
static bool is_spoiled(struct filtering *filtering, enum edits_outcome outcome, bool is_quarantine,
                       const char *step)
{
        if (outcome == EDITS_LEFT_OUT && is_quarantine)
                return fail(filtering, "no room is left for its quarantine", step);
        if (outcome == EDITS_NO_MEMORY)
                report_failure(filtering, "memory is out");
        return outcome == EDITS_NO_MEMORY;
}

static void count_report(const struct filtering *filtering, const struct filter_report *report)
{
        static const enum filter_count counts[] = {
            [FILTER_IS_CONTENT] = FILTER_COUNT_ASKED, [FILTER_REFUSES] = FILTER_COUNT_REFUSED,
            [FILTER_DEFERS] = FILTER_COUNT_DEFERRED,  [FILTER_DISCARDS] = FILTER_COUNT_DISCARDED,
            [FILTER_CLOSES] = FILTER_COUNT_DEFERRED,  [FILTER_FAILED] = FILTER_COUNT_FAILED};
        count(filtering, report->filter, counts[report->outcome], 1);
}

/* A service may have said before that a refusal is to be none for good. RFC 5321 3.8: 421 closes. */
static void object(struct filtering *filtering, const struct filter_report *report)
{
        filtering->report = *report;
        if (report->code == 421)
                filtering->report.outcome = FILTER_CLOSES;
        count_report(filtering, &filtering->report);
        if (report->outcome != FILTER_REFUSES || filtering->if_refused.report.filter == NULL)
                return;
        filtering->report = filtering->if_refused.report;
        count_report(filtering, &filtering->report);
}

void answer_of_header(struct filtering *filtering)
{
        count_time(filtering);
        object(filtering, &(struct filter_report){.outcome = FILTER_REFUSES,
                                                  .filter = filter_at(filtering),
                                                  .code = 552,
                                                  .enhanced = SPAN("5.3.4"),
                                                  .words = SPAN("the header has too many fields")});
}

void answer_of_all(struct filtering *filtering)
{
        filtering->report = (struct filter_report){.outcome = FILTER_IS_CONTENT};
        if (filtering->if_accepted.report.filter == NULL)
                return;
        filtering->report = filtering->if_accepted.report;
        count_report(filtering, &filtering->report);
}

/* ---- milters ------------------------------------------------------------------------------------------- */

static void take_objection(struct filtering *filtering, const struct filter_link *link)
{
        static const enum filter_outcome outcomes[] = {
            [MILTER_CONTINUES] = FILTER_IS_CONTENT, [MILTER_ACCEPTS] = FILTER_IS_CONTENT,
            [MILTER_REJECTS] = FILTER_REFUSES,      [MILTER_DEFERS] = FILTER_DEFERS,
            [MILTER_DISCARDS] = FILTER_DISCARDS,    [MILTER_SHUTS_DOWN] = FILTER_CLOSES};
        const struct milter_judgement *judgement = &link->milter.judgement;

        object(filtering, &(struct filter_report){.outcome = outcomes[judgement->verdict],
                                                  .filter = link->filter,
                                                  .code = judgement->reply.code,
                                                  .enhanced = span_from(judgement->reply.enhanced),
                                                  .words = judgement->reply.code == 0
                                                               ? SPAN("")
                                                               : span_from(judgement->reply.text)});
}

/* A filter that wants nobody to have the message deletes its recipients, or discards it. */
static bool take_edits(struct filtering *filtering, struct filter_link *link)
{
        if (is_spoiled(filtering, edits_apply(filtering, link), true, "END"))
                return true;
        if (filtering->question.message->recipient_count > 0)
                return false;
        object(filtering, &(struct filter_report){.outcome = FILTER_DISCARDS, .filter = link->filter});
        return true;
}

bool answer_of_milter(struct filtering *filtering, struct filter_link *link, enum link_answer answer)
{
        count_time(filtering);
        if (answer != LINK_OBJECTS)
                return filtering->question.about == FILTER_ABOUT_TEXT && take_edits(filtering, link);
        take_objection(filtering, link);
        edits_drop(link);
        return true;
}

/* ---- policy services ----------------------------------------------------------------------------------- */

/* The first that says so is the one that is obeyed. */
static void keep(struct kept_report *kept, const struct filter_report *report)
{
        if (kept->report.filter != NULL)
                return;
        kept->report = *report;
        span_copy_cut(report->words, kept->words, sizeof kept->words);
        span_copy_cut(report->enhanced, kept->enhanced, sizeof kept->enhanced);
        kept->report.words = span_from(kept->words);
        kept->report.enhanced = span_from(kept->enhanced);
}

static bool take_field(struct filtering *filtering, const struct delegation_answer *answer)
{
        const struct mail_filter *filter = filter_at(filtering);
        bool holds = answer->verdict == DELEGATION_HOLDS;
        enum edits_outcome outcome =
            holds ? edits_quarantine(filtering, filter, span_from(answer->text))
                  : edits_add_field(filtering, filter, span_from(answer->name), span_from(answer->text));

        return is_spoiled(filtering, outcome, holds, "ASKED");
}

bool answer_of_service(struct filtering *filtering, const struct delegation_answer *answer)
{
        struct filter_report report = {.outcome = FILTER_DEFERS,
                                       .filter = filter_at(filtering),
                                       .code = answer->code,
                                       .enhanced = span_from(answer->enhanced),
                                       .words = span_from(answer->text)};

        count_time(filtering);
        switch (answer->verdict) {
        case DELEGATION_CONTINUES:
        case DELEGATION_ACCEPTS:
                return false;
        case DELEGATION_HOLDS:
        case DELEGATION_PREPENDS:
                return take_field(filtering, answer);
        case DELEGATION_DEFERS_IF_ACCEPTED:
                keep(&filtering->if_accepted, &report);
                return false;
        case DELEGATION_DEFERS_IF_REJECTED:
                keep(&filtering->if_refused, &report);
                return false;
        case DELEGATION_DISCARDS:
                report.outcome = FILTER_DISCARDS;
                break;
        case DELEGATION_REJECTS:
                report.outcome = FILTER_REFUSES;
                break;
        case DELEGATION_DEFERS:
                break;
        }
        object(filtering, &report);
        return true;
}
