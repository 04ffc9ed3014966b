/* Which filter is asked next, and what their answers come to. */
#include "workers/inbound/milter/filter_client.h"

#include "workers/inbound/milter/internal.h"
#include "workers/inbound/worker_log.h"

#define OUT_SIZE      (3 * (size_t)MILTER_OUT_ROOM)
#define EDITS_BLOCK   4096
#define TELL_EVERY_MS 1000 /* of failures of one filter, so that a dead one does not fill the log */

struct filter_work *filter_work_create(struct account *account)
{
        struct filter_work *work = calloc(1, sizeof *work);
        char *out = malloc(OUT_SIZE);

        if (work == NULL || out == NULL) {
                free(work);
                free(out);
                return NULL;
        }
        text_over(&work->out, out, OUT_SIZE);
        block_pool_init(&work->pool, EDITS_BLOCK, 0);
        work->pool.account = account;
        return work;
}

void filter_work_destroy(struct filter_work *work)
{
        if (work == NULL)
                return;
        block_pool_end(&work->pool);
        free(work->out.at);
        free(work);
}

/* ---- counts and events --------------------------------------------------------------------------------- */

static void count(const struct filtering *filtering, const struct mail_filter *filter, enum filter_count what,
                  uint64_t number)
{
        counter_add(&filtering->worker->counters.filter_counts[filter->count_index][what], number);
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
        worker_log_event(worker, "milter_failed", "milter", filter->name.at, "id",
                         filtering->question.message->id, "reason", reason, "step", step, NULL);
}

/* ---- answers ------------------------------------------------------------------------------------------- */

static const struct mail_filter *filter_at(const struct filtering *filtering)
{
        return &filtering_session(filtering)->snapshot->filters[filtering->at];
}

static void close_link(struct filtering *filtering, size_t index)
{
        struct filter_link *link = filtering->links[index];

        filtering->links[index] = NULL;
        if (link != NULL)
                link_close(link);
}

/* True: the question is answered, by filtering->report; false: the message goes on without it. */
static bool take_failure(struct filtering *filtering, const char *reason, const char *step)
{
        const struct mail_filter *filter = filter_at(filtering);

        note_failure(filtering, filter, reason, step);
        if (filter->options.on_failure == ACTION_PASS) {
                filtering->passed |= UINT32_C(1) << filtering->at;
                return false;
        }
        filtering->report =
            (struct filter_report){.outcome = FILTER_FAILED, .filter = filter, .words = span_from(reason)};
        return true;
}

static void take_objection(struct filtering *filtering, const struct filter_link *link)
{
        static const struct {
                enum filter_outcome outcome;
                enum filter_count counted;
        } kinds[] = {[MILTER_CONTINUES] = {FILTER_IS_CONTENT, FILTER_COUNT_ASKED},
                     [MILTER_ACCEPTS] = {FILTER_IS_CONTENT, FILTER_COUNT_ASKED},
                     [MILTER_REJECTS] = {FILTER_REFUSES, FILTER_COUNT_REFUSED},
                     [MILTER_DEFERS] = {FILTER_DEFERS, FILTER_COUNT_DEFERRED},
                     [MILTER_DISCARDS] = {FILTER_DISCARDS, FILTER_COUNT_DISCARDED},
                     [MILTER_SHUTS_DOWN] = {FILTER_CLOSES, FILTER_COUNT_DEFERRED}};
        const struct milter_judgement *judgement = &link->milter.judgement;
        /* RFC 5321 3.8: 421 closes. */
        bool closes = judgement->reply.code == 421;

        count(filtering, link->filter, kinds[judgement->verdict].counted, 1);
        filtering->report = (struct filter_report){
            .outcome = closes ? FILTER_CLOSES : kinds[judgement->verdict].outcome,
            .filter = link->filter,
            .code = judgement->reply.code,
            .enhanced = span_from(judgement->reply.enhanced),
            .words = judgement->reply.code == 0 ? SPAN("") : span_from(judgement->reply.text)};
}

/* A filter that wants nobody to have the message deletes its recipients, or discards it. */
static bool take_edits(struct filtering *filtering, struct filter_link *link)
{
        if (!edits_apply(filtering, link)) {
                filtering->report = (struct filter_report){
                    .outcome = FILTER_FAILED, .filter = link->filter, .words = SPAN("memory is out")};
                return true;
        }
        if (filtering->question.message->recipient_count > 0)
                return false;
        count(filtering, link->filter, FILTER_COUNT_DISCARDED, 1);
        filtering->report = (struct filter_report){.outcome = FILTER_DISCARDS, .filter = link->filter};
        return true;
}

/* True: the question is answered by this filter; false: the next one is asked. */
static bool take_answer(struct filtering *filtering, struct filter_link *link, enum link_answer answer)
{
        count(filtering, link->filter, FILTER_COUNT_MS, filtering->worker->host.now_ms - filtering->asked_ms);
        if (answer == LINK_OBJECTS) {
                take_objection(filtering, link);
                return true;
        }
        if (answer == LINK_CONTENT)
                return filtering->question.about == FILTER_ABOUT_TEXT && take_edits(filtering, link);
        bool is_answered = take_failure(filtering, link->milter.why,
                                        link->is_begun ? milter_state_name(&link->milter) : "CONNECT");
        close_link(filtering, filtering->at);
        return is_answered;
}

/* ---- questions ----------------------------------------------------------------------------------------- */

/* Its share of the connections that the filter may have. */
static bool has_room(const struct filtering *filtering, const struct mail_filter *filter)
{
        uint64_t share = filter->options.connections_max / filtering->worker->worker_count;
        return filtering->worker->filters->links[filter->count_index] < (share == 0 ? 1 : share);
}

static bool is_skipped(const struct filtering *filtering, const struct mail_filter *filter)
{
        const struct filter_question *question = &filtering->question;

        return (filtering->passed >> filtering->at & 1) != 0 ||
               (question->about == FILTER_ABOUT_TEXT &&
                !filter_sees_length(filter, question->message->content.length - question->own));
}

/* A client that another one has been named for is another session to a filter. */
static struct filter_link *find_link(struct filtering *filtering, const struct mail_filter *filter)
{
        struct filter_link *link = filtering->links[filtering->at];

        if (link != NULL && link->is_introduced &&
            !address_equals(&link->client, &filtering_session(filtering)->peer.client))
                close_link(filtering, filtering->at);
        if (filtering->links[filtering->at] == NULL && has_room(filtering, filter))
                filtering->links[filtering->at] = link_open(filtering, filter);
        return filtering->links[filtering->at];
}

/* Asks one after the other. True: filtering->report is the answer; false: one is waited for. */
static bool go_on(struct filtering *filtering)
{
        size_t filter_count = filtering_session(filtering)->snapshot->filter_count;

        for (; filtering->at < filter_count; filtering->at++) {
                const struct mail_filter *filter = filter_at(filtering);
                if (is_skipped(filtering, filter))
                        continue;
                count(filtering, filter, FILTER_COUNT_ASKED, 1);
                filtering->asked_ms = filtering->worker->host.now_ms;
                struct filter_link *link = find_link(filtering, filter);
                if (link == NULL) {
                        const char *reason = has_room(filtering, filter) ? "it takes no connection"
                                                                         : "it has connections_max already";
                        if (take_failure(filtering, reason, "CONNECT"))
                                return true;
                        continue;
                }
                enum link_answer answer = link_ask(link);
                if (answer == LINK_WAITS)
                        return false;
                if (take_answer(filtering, link, answer))
                        return true;
        }
        filtering->report = (struct filter_report){.outcome = FILTER_IS_CONTENT};
        return true;
}

void filter_client_answered(struct filtering *filtering, struct filter_link *link, enum link_answer answer)
{
        bool is_answered = take_answer(filtering, link, answer);

        if (!is_answered) {
                filtering->at++;
                is_answered = go_on(filtering);
        }
        if (is_answered)
                connection_filtered(filtering->worker, filtering->connection, &filtering->report);
}

/* It has closed between two messages, as a filter may. */
void filter_client_lost(struct filtering *filtering, const struct filter_link *link)
{
        for (size_t i = 0; i < MAIL_FILTERS_MAX; i++)
                if (filtering->links[i] == link)
                        close_link(filtering, i);
}

bool filter_client_ask(struct worker *worker, struct connection *connection, struct filter_report *ret_report)
{
        struct filtering *filtering = connection->filtering;
        struct filter_question question = session_filter_question(&connection->session);

        if (filtering == NULL && (filtering = calloc(1, sizeof *filtering)) == NULL) {
                *ret_report = (struct filter_report){.outcome = FILTER_FAILED,
                                                     .filter = &connection->session.snapshot->filters[0],
                                                     .words = SPAN("memory is out")};
                return false;
        }
        connection->filtering = filtering;
        filtering->worker = worker;
        filtering->connection = connection;
        if (strcmp(filtering->message_id, question.message->id) != 0)
                filtering->passed = 0;
        memcpy(filtering->message_id, question.message->id, sizeof filtering->message_id);
        filtering->question = question;
        filtering->at = 0;
        if (!go_on(filtering))
                return true;
        *ret_report = filtering->report;
        return false;
}

void filter_client_end(struct connection *connection)
{
        struct filtering *filtering = connection->filtering;

        if (filtering == NULL)
                return;
        connection->filtering = NULL;
        for (size_t i = 0; i < MAIL_FILTERS_MAX; i++)
                close_link(filtering, i);
        free(filtering);
}
