/* Which filter is asked next, and what their answers come to. */
#include "workers/inbound/filter/filter_client.h"

#include "workers/inbound/filter/internal.h"

#define OUT_SIZE    (3 * (size_t)MILTER_OUT_ROOM)
#define EDITS_BLOCK 4096
/* A connection that is lost, or goes to another session, costs that all recipients are told again. */
#define TOLD_AGAIN_MAX 200
#define LOOKS_MAX      8 /* for one whose session has nothing to lose */

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
        services_init(work);
        for (size_t i = 0; i < FILTER_COUNTERS_MAX; i++)
                TAILQ_INIT(&work->idle[i]);
        return work;
}

void filter_work_destroy(struct filter_work *work)
{
        if (work == NULL)
                return;
        services_end(work);
        block_pool_end(&work->pool);
        free(work->out.at);
        free(work);
}

/* ---- questions ----------------------------------------------------------------------------------------- */

bool filter_has_room(const struct filtering *filtering, const struct mail_filter *filter)
{
        return filtering->worker->filters->links[filter->kind][filter->count_index] <
               stream_share(filter->options.connections_max, filtering->worker->worker_count);
}

/* Of those that have rested longest one between two messages, or else the first. */
static const struct filter_link *choose_idle(const struct filter_links *links)
{
        const struct filter_link *link = TAILQ_FIRST(links);

        for (unsigned looks = 0; link != NULL && looks < LOOKS_MAX; looks++, link = TAILQ_NEXT(link, entry))
                if (filtering_session(link->filtering)->transaction == NULL)
                        return link;
        return TAILQ_FIRST(links);
}

/* Who asks nothing now gives its place to who does: its session begins anew with the filter when it asks again. */
static bool make_room(const struct filtering *filtering, const struct mail_filter *filter)
{
        if (filter_has_room(filtering, filter))
                return true;
        const struct filter_link *idle = choose_idle(&filtering->worker->filters->idle[filter->count_index]);
        if (idle != NULL)
                filter_client_lost(idle->filtering, idle);
        return filter_has_room(filtering, filter);
}

static void close_link(struct filtering *filtering, size_t index)
{
        struct filter_link *link = filtering->links[index];

        filtering->links[index] = NULL;
        if (link != NULL)
                link_close(link);
}

static bool is_skipped(const struct filtering *filtering, const struct mail_filter *filter)
{
        const struct filter_question *question = &filtering->question;

        return ((filtering->passed | ~question->wanted) >> filtering->at & 1) != 0 ||
               !filter_is_asked(filter, question->about, question->message->content.length - question->own);
}

/* A client that another one has been named for is another session to a filter. */
static struct filter_link *find_link(struct filtering *filtering, const struct mail_filter *filter)
{
        struct filter_link *link = filtering->links[filtering->at];

        if (link != NULL && link->is_introduced &&
            !address_equals(&link->client, &filtering_session(filtering)->peer.client))
                close_link(filtering, filtering->at);
        if (filtering->links[filtering->at] == NULL && make_room(filtering, filter))
                filtering->links[filtering->at] = link_open(filtering, filter);
        return filtering->links[filtering->at];
}

enum asked { ASKED_WAITS, ASKED_NEXT, ASKED_ANSWERED };

static enum asked ask_milter(struct filtering *filtering, const struct mail_filter *filter);

/* A filter may close a connection that it finds idle just as we ask. It is asked again on a new one, once: that is kept
 * from no earlier message. */
static enum asked take_link_answer(struct filtering *filtering, struct filter_link *link,
                                   enum link_answer answer)
{
        if (answer != LINK_FAILED)
                return answer_of_milter(filtering, link, answer) ? ASKED_ANSWERED : ASKED_NEXT;
        bool is_let_go = link_was_let_go(link);
        const char *step = link->is_begun ? link->milter.failed_at : "CONNECT", *why = link->milter.why;
        close_link(filtering, filtering->at);
        if (is_let_go)
                return ask_milter(filtering, filter_at(filtering));
        return answer_of_failure(filtering, why, step) ? ASKED_ANSWERED : ASKED_NEXT;
}

/* Of one message. A text is still judged: the filter is told the rest once more for that. */
static bool was_told_too_often(const struct filtering *filtering)
{
        const struct filter_link *link = filtering->links[filtering->at];

        return filtering->question.about == FILTER_ABOUT_RECIPIENT &&
               filtering->told_again > TOLD_AGAIN_MAX && (link == NULL || !link_knows_message(link));
}

static enum asked ask_milter(struct filtering *filtering, const struct mail_filter *filter)
{
        const struct filter_question *question = &filtering->question;

        if (question->about == FILTER_ABOUT_TEXT &&
            milter_has_too_many_fields(&question->message->content, question->own)) {
                answer_of_header(filtering);
                return ASKED_ANSWERED;
        }
        if (was_told_too_often(filtering)) {
                answer_of_bound(filtering, "its connections were lost too often");
                return ASKED_ANSWERED;
        }
        struct filter_link *link = find_link(filtering, filter);

        if (link == NULL) {
                const char *reason = filter_has_room(filtering, filter) ? "it takes no connection"
                                                                        : "it has connections_max already";
                return answer_of_failure(filtering, reason, "CONNECT") ? ASKED_ANSWERED : ASKED_NEXT;
        }
        enum link_answer answer = link_ask(link);
        if (answer == LINK_WAITS)
                return ASKED_WAITS;
        return take_link_answer(filtering, link, answer);
}

static enum asked ask_service(struct filtering *filtering, const struct mail_filter *filter)
{
        const char *reason = service_ask(filtering, filter);

        if (reason == NULL)
                return ASKED_WAITS;
        return answer_of_failure(filtering, reason, "CONNECT") ? ASKED_ANSWERED : ASKED_NEXT;
}

/* Asks one after the other. True: filtering->report is the answer; false: one is waited for. */
static bool go_on(struct filtering *filtering)
{
        size_t filter_count = filtering_session(filtering)->snapshot->filter_count;

        for (; filtering->at < filter_count; filtering->at++) {
                const struct mail_filter *filter = filter_at(filtering);
                if (is_skipped(filtering, filter))
                        continue;
                answer_is_awaited(filtering);
                enum asked asked = filter->kind == FILTER_SERVICE ? ask_service(filtering, filter)
                                                                  : ask_milter(filtering, filter);
                if (asked != ASKED_NEXT)
                        return asked == ASKED_ANSWERED;
        }
        answer_of_all(filtering);
        return true;
}

/* The filter that was waited for has answered the question, or it or the next ones do. */
static void resume(struct filtering *filtering, enum asked asked)
{
        if (asked == ASKED_NEXT) {
                filtering->at++;
                asked = go_on(filtering) ? ASKED_ANSWERED : ASKED_WAITS;
        }
        if (asked == ASKED_ANSWERED)
                connection_filtered(filtering->worker, filtering->connection, &filtering->report);
}

void filter_client_answered(struct filtering *filtering, struct filter_link *link, enum link_answer answer)
{
        resume(filtering, take_link_answer(filtering, link, answer));
}

void filter_client_served(struct filtering *filtering, const struct delegation_answer *answer)
{
        resume(filtering, answer_of_service(filtering, answer) ? ASKED_ANSWERED : ASKED_NEXT);
}

void filter_client_failed(struct filtering *filtering, const char *reason, const char *step)
{
        resume(filtering, answer_of_failure(filtering, reason, step) ? ASKED_ANSWERED : ASKED_NEXT);
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
                filtering->passed = filtering->told_again = 0;
        memcpy(filtering->message_id, question.message->id, sizeof filtering->message_id);
        filtering->question = question;
        filtering->at = 0;
        filtering->if_accepted.report.filter = filtering->if_refused.report.filter = NULL;
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
        service_leave(filtering);
        for (size_t i = 0; i < MAIL_FILTERS_MAX; i++)
                close_link(filtering, i);
        free(filtering);
}
