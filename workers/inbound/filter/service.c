/* Policy services: for each of them a worker has some connections, which are kept, and a queue of questions that wait
 * for one. A question is on one connection at a time, and a connection has one question.
 *
 * Each question has answer_timeout from when it came, also while it waits: those before it came earlier, so each
 * connection that it may get is free, or closed as late, when its own time is up. (After a reload that shortens the
 * time, those that wait behind older ones may wait for as long as these.) */
#include "workers/inbound/filter/internal.h"

/* A connection. */
struct service_line {
        struct stream stream; /* first */
        LIST_ENTRY(service_line) entry;
        struct filter_work *work;
        uint8_t count_index;
        bool is_begun;                     /* it stands, and the dialogue has begun */
        struct service_question *question; /* NULL: none, or its session has left */
        struct delegation_terms terms;
        struct delegation delegation;
        /* Where it leads: a reload may lead others elsewhere. */
        struct daemon_address address;
        char path[SOCKET_PATH_MAX + 1]; /* that of the address, unless this is an endpoint */
};

static void act(struct stream *stream, enum stream_event event);

static struct service *service_of(const struct service_line *line)
{
        return &line->work->services[line->count_index];
}

/* ---- lines --------------------------------------------------------------------------------------------- */

/* NULL where it cannot be connected, or memory is out. */
static struct service_line *line_open(struct service_question *question)
{
        const struct mail_filter *filter = question->filter;
        struct worker *worker = question->filtering->worker;
        struct service_line *line = calloc(1, sizeof *line);
        uint64_t until_ms = worker->streams->now_ms + filter->options.connect_timeout_ms;

        if (line == NULL)
                return NULL;
        daemon_address_copy(&filter->address, &line->address, line->path, sizeof line->path);
        if (!stream_open(&line->stream, worker->streams, &line->address, act)) {
                free(line);
                return NULL;
        }
        line->work = worker->filters;
        line->count_index = filter->count_index;
        line->question = question;
        question->line = line;
        stream_set_deadline(&line->stream, until_ms < question->until_ms ? until_ms : question->until_ms);
        LIST_INSERT_HEAD(&service_of(line)->lines, line, entry);
        line->work->links[FILTER_SERVICE][line->count_index]++;
        return line;
}

/* Nobody is on it any more. */
static void line_close(struct service_line *line)
{
        LIST_REMOVE(line, entry);
        line->work->links[FILTER_SERVICE][line->count_index]--;
        stream_close(&line->stream);
}

/* False: it is of no use any more. */
static bool line_put(struct service_line *line, struct service_question *question)
{
        const struct mail_filter *filter = question->filter;
        struct delegation_attribute attributes[ATTRIBUTES_MAX];
        size_t count = attributes_of(question->filtering, filter, attributes);
        uint64_t now_ms = line->stream.streams->now_ms;
        struct text *out = &line->work->out;

        line->question = question;
        question->line = line;
        line->delegation.now_ms = now_ms;
        line->terms.patience_ms[DELEGATION_PATIENCE_answer] =
            question->until_ms > now_ms ? question->until_ms - now_ms : 0;
        line->terms.patience_ms[DELEGATION_PATIENCE_idle] = filter->options.idle_timeout_ms;
        out->length = 0;
        bool is_sent = delegation_ask(&line->delegation, attributes, count, out) &&
                       stream_send(&line->stream, text_span(out));
        out->length = 0;
        stream_set_deadline(&line->stream, line->delegation.deadline_ms);
        return is_sent;
}

/* ---- questions ----------------------------------------------------------------------------------------- */

static void question_end(struct service_question *question)
{
        if (question->line != NULL)
                question->line->question = NULL;
        question->line = NULL;
        question->filter = NULL;
}

static void question_fail(struct service_question *question, const char *reason, const char *step)
{
        question_end(question);
        filter_client_failed(question->filtering, reason, step);
}

enum start { START_DONE, START_NO_ROOM, START_FAILED };

/* A connection that waits for a question. Those that are too old, or lead elsewhere, make room for others. */
static struct service_line *find_idle(struct service *service, const struct daemon_address *address)
{
        struct service_line *line = LIST_FIRST(&service->lines), *next;

        for (; line != NULL; line = next) {
                next = LIST_NEXT(line, entry);
                if (!line->is_begun || line->delegation.state != DELEGATION_STATE_REST)
                        continue;
                line->delegation.now_ms = line->stream.streams->now_ms;
                if (delegation_takes_request(&line->delegation) &&
                    daemon_address_equals(&line->address, address))
                        return line;
                line_close(line);
        }
        return NULL;
}

static enum start question_start(struct service_question *question)
{
        struct service *service =
            &question->filtering->worker->filters->services[question->filter->count_index];
        struct service_line *line;

        while ((line = find_idle(service, &question->filter->address)) != NULL) {
                if (line_put(line, question))
                        return START_DONE;
                line->question = NULL;
                question->line = NULL;
                line_close(line);
        }
        if (!filter_has_room(question->filtering, question->filter))
                return START_NO_ROOM;
        return line_open(question) != NULL ? START_DONE : START_FAILED;
}

static const char *const takes_none = "it takes no connection";

/* Those who wait go on, as far as there are connections for them. */
static void serve_waiting(struct service *service, uint64_t now_ms)
{
        struct service_question *question;

        while ((question = TAILQ_FIRST(&service->waiting)) != NULL) {
                enum start start = question->until_ms <= now_ms ? START_FAILED : question_start(question);
                if (start == START_NO_ROOM)
                        return;
                TAILQ_REMOVE(&service->waiting, question, entry);
                service->waiting_count--;
                if (start == START_FAILED)
                        question_fail(question,
                                      question->until_ms <= now_ms ? "it took too long" : takes_none,
                                      "WAITING");
        }
}

/* ---- events -------------------------------------------------------------------------------------------- */

/* What has come of the octets so far. */
struct heard {
        bool is_answered, is_over; /* over: the line has ended */
        struct delegation_answer answer;
};

/* What a service says behind its answer it says unasked: that is seen before anything else is asked. */
static void hear(struct service_line *line, enum delegation_event event, struct span *input,
                 struct heard *heard)
{
        while (event == DELEGATION_ANSWERED || event == DELEGATION_FAILED) {
                if (event == DELEGATION_ANSWERED) {
                        heard->is_answered = true;
                        heard->answer = line->delegation.answer;
                }
                event = delegation_input(&line->delegation, input);
        }
        heard->is_over = event == DELEGATION_CLOSE;
}

static void readable(struct service_line *line, struct heard *heard)
{
        struct span input, nothing = SPAN("");

        for (int i = 0; i < STREAM_TURN_READS && !heard->is_over; i++) {
                switch (stream_receive(&line->stream, &input)) {
                case STREAM_NOTHING:
                        return;
                case STREAM_END:
                        hear(line, delegation_lost(&line->delegation), &nothing, heard);
                        return;
                case STREAM_OCTETS:
                        break;
                }
                hear(line, delegation_input(&line->delegation, &input), &input, heard);
                if (!heard->is_over && !stream_keep(&line->stream, input))
                        hear(line, delegation_lost(&line->delegation), &nothing, heard);
        }
        if (!heard->is_over && line->stream.is_readable)
                stream_read_later(&line->stream);
}

static void take_event(struct service_line *line, enum stream_event event, struct heard *heard)
{
        struct span nothing = SPAN("");

        line->delegation.now_ms = line->stream.streams->now_ms;
        if (event == STREAM_READABLE)
                readable(line, heard);
        else if (event == STREAM_LATE)
                hear(line, delegation_timeout(&line->delegation), &nothing, heard);
        else if (event == STREAM_LOST)
                hear(line, delegation_lost(&line->delegation), &nothing, heard);
}

/* The line has ended, and with it the question that it had, unless that can be asked again on another one. */
static void end_line(struct service_line *line, const char *why, const char *step, struct heard *heard)
{
        struct service_question *question = line->question;
        bool is_again = question != NULL && !heard->is_answered && !question->is_again && line->is_begun &&
                        line->delegation.may_ask_again;

        line_close(line);
        if (question == NULL)
                return;
        question->line = NULL;
        line->question = NULL;
        if (heard->is_answered) {
                question_end(question);
                filter_client_served(question->filtering, &heard->answer);
                return;
        }
        question->is_again = is_again;
        if (!is_again || line_open(question) == NULL)
                question_fail(question, is_again ? takes_none : why, step);
}

static void connected(struct service_line *line)
{
        struct heard heard = {.is_over = false};

        line->is_begun = true;
        memcpy(line->terms.patience_ms, delegation_patience_most_ms, sizeof line->terms.patience_ms);
        delegation_begin(&line->delegation, &line->terms, line->stream.streams->now_ms);
        if (line->question == NULL)
                stream_set_deadline(&line->stream, line->delegation.deadline_ms);
        else if (!line_put(line, line->question))
                end_line(line, "it closed the connection", "ASKED", &heard);
}

static void act(struct stream *stream, enum stream_event event)
{
        struct service_line *line = (struct service_line *)stream;
        struct service *service = service_of(line);
        uint64_t now_ms = stream->streams->now_ms;
        struct heard heard = {.is_over = false};

        if (event == STREAM_CONNECTED) {
                connected(line);
        } else if (!line->is_begun) {
                end_line(line, event == STREAM_LATE ? "no connection came about in time" : takes_none,
                         "CONNECT", &heard);
        } else {
                take_event(line, event, &heard);
                struct service_question *question = line->question;
                if (heard.is_over) {
                        end_line(line, line->delegation.why, "ASKED", &heard);
                } else if (heard.is_answered) {
                        stream_set_deadline(&line->stream, line->delegation.deadline_ms);
                        if (question != NULL) {
                                question_end(question);
                                filter_client_served(question->filtering, &heard.answer);
                        }
                }
        }
        serve_waiting(service, now_ms);
}

/* ---- for sessions -------------------------------------------------------------------------------------- */

/* The worker's share. */
static bool may_wait(const struct filtering *filtering, const struct mail_filter *filter)
{
        return filtering->worker->filters->services[filter->count_index].waiting_count <
               stream_share(filter->options.questions_max, filtering->worker->worker_count);
}

const char *service_ask(struct filtering *filtering, const struct mail_filter *filter)
{
        struct service *service = &filtering->worker->filters->services[filter->count_index];
        struct service_question *question = &filtering->service;

        *question = (struct service_question){.filtering = filtering,
                                              .filter = filter,
                                              .until_ms = filtering->worker->streams->now_ms +
                                                          filter->options.answer_timeout_ms};
        enum start start = TAILQ_EMPTY(&service->waiting) ? question_start(question) : START_NO_ROOM;
        if (start == START_DONE)
                return NULL;
        if (start == START_NO_ROOM && may_wait(filtering, filter)) {
                TAILQ_INSERT_TAIL(&service->waiting, question, entry);
                service->waiting_count++;
                return NULL;
        }
        question->filter = NULL;
        return start == START_FAILED ? takes_none : "too many questions wait for it";
}

void service_leave(struct filtering *filtering)
{
        struct service_question *question = &filtering->service;

        if (question->filter == NULL)
                return;
        if (question->line == NULL) {
                struct service *service =
                    &filtering->worker->filters->services[question->filter->count_index];
                TAILQ_REMOVE(&service->waiting, question, entry);
                service->waiting_count--;
        }
        question_end(question);
}

/* ---- life ---------------------------------------------------------------------------------------------- */

void services_init(struct filter_work *work)
{
        for (size_t i = 0; i < FILTER_COUNTERS_MAX; i++) {
                TAILQ_INIT(&work->services[i].waiting);
                LIST_INIT(&work->services[i].lines);
        }
}

void services_end(struct filter_work *work)
{
        struct service_line *line;

        for (size_t i = 0; i < FILTER_COUNTERS_MAX; i++)
                while ((line = LIST_FIRST(&work->services[i].lines)) != NULL)
                        line_close(line);
}
