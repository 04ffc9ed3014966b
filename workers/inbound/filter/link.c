/* The connection to one milter: octets between its stream and the machine, and the steps that a question takes. */
#include "workers/inbound/filter/internal.h"

#define PARAMETERS_MAX 64

/* ---- steps --------------------------------------------------------------------------------------------- */

static enum milter_event give_connect(struct filter_link *link, struct text *out)
{
        const struct session *session = filtering_session(link->filtering);
        struct milter_macros macros = macros_of(link, LINK_CONNECT);

        link->is_introduced = true;
        link->client = session->peer.client;
        return milter_connect(&link->milter, macros, macro_value(macros, "{client_name}"),
                              &session->peer.client, session->peer.client_port, out);
}

static enum milter_event give_helo(struct filter_link *link, struct text *out)
{
        const struct session *session = filtering_session(link->filtering);

        link->helo = session->helo.at;
        return milter_helo(&link->milter, macros_of(link, LINK_HELO), session->helo, out);
}

static enum milter_event give_mail(struct filter_link *link, struct text *out)
{
        const struct filter_question *question = &link->filtering->question;
        const struct message *message = question->message;
        char octets[PARAMETERS_MAX];
        struct text parameters;

        memcpy(link->message_id, message->id, sizeof link->message_id);
        text_over(&parameters, octets, sizeof octets);
        if (message->declared_size > 0) {
                text_put_string(&parameters, "SIZE=");
                text_put_number(&parameters, message->declared_size);
        }
        if (question->body[0] != '\0') {
                text_put_string(&parameters, " BODY=");
                text_put_string(&parameters, question->body);
        }
        if (message->is_smtputf8)
                text_put_string(&parameters, " SMTPUTF8");
        return milter_mail(&link->milter, macros_of(link, LINK_MAIL), message->sender, text_span(&parameters),
                           out);
}

/* Postmaster hears everybody, so no filter is asked. */
static const struct recipient *first_told(const struct recipient *recipient)
{
        while (recipient != NULL && recipient->is_postmaster)
                recipient = recipient->next;
        return recipient;
}

/* The recipients of a message that another dialogue was told of come before the one in question. */
static enum milter_event give_recipient(struct filter_link *link, struct text *out)
{
        const struct recipient *untold = link->untold;
        const struct filter_question *question = &link->filtering->question;
        struct milter_macros macros = macros_of(link, LINK_RCPT);

        if (untold != NULL)
                link->untold = first_told(untold->next);
        if (link->untold == NULL && (untold == NULL || question->about == FILTER_ABOUT_TEXT))
                link->next = question->about == FILTER_ABOUT_TEXT ? LINK_DATA : LINK_DONE;
        return milter_recipient(&link->milter, macros, untold != NULL ? untold->address : question->recipient,
                                SPAN(""), out);
}

static enum milter_event give_end(struct filter_link *link, struct text *out)
{
        edits_drop(link);
        edits_begin(link->filtering, link->filter->options.speaks_for_us, &link->arena, &link->edits);
        return milter_end(&link->milter, macros_of(link, LINK_END), &link->edits, out);
}

static enum milter_event give_next(struct filter_link *link, struct text *out)
{
        const struct filter_question *question = &link->filtering->question;
        enum milter_event event;

        switch (link->next) {
        case LINK_CONNECT:
                link->next = LINK_HELO;
                return give_connect(link, out);
        case LINK_HELO:
                link->next = LINK_MAIL;
                return give_helo(link, out);
        case LINK_MAIL:
                link->next = LINK_RCPT;
                return give_mail(link, out);
        case LINK_RCPT:
                return give_recipient(link, out);
        case LINK_DATA:
                link->next = LINK_TEXT;
                milter_give_begin(&link->giving, &question->message->content, question->own);
                return milter_data(&link->milter, macros_of(link, LINK_DATA), out);
        case LINK_TEXT:
                event = milter_give(&link->milter, &link->giving, out);
                if (event == MILTER_ANSWERED)
                        link->next = LINK_END;
                return event;
        case LINK_END:
        case LINK_DONE:
                break;
        }
        link->next = LINK_DONE;
        return give_end(link, out);
}

/* ---- the dialogue -------------------------------------------------------------------------------------- */

static struct text *link_out(const struct filter_link *link)
{
        return &link->filtering->worker->filters->out;
}

static bool flush(struct filter_link *link)
{
        struct text *out = link_out(link);
        bool is_sent = stream_send(&link->stream, text_span(out));

        out->length = 0;
        milter_sent(&link->milter, stream_unsent(&link->stream));
        return is_sent;
}

static bool has_objection(const struct filter_link *link)
{
        enum milter_verdict verdict = link->milter.judgement.verdict;
        return verdict != MILTER_CONTINUES && verdict != MILTER_ACCEPTS;
}

/* The next step is ours to give. Of a text as much is given as the filter takes, and no more is kept. */
static bool may_give(struct filter_link *link, bool *ret_is_broken)
{
        if (!link->is_asked || link->objects || link->next == LINK_DONE || !milter_takes_step(&link->milter))
                return false;
        if (text_room(link_out(link)) >= MILTER_OUT_ROOM)
                return true;
        *ret_is_broken = !flush(link);
        return !*ret_is_broken && stream_unsent(&link->stream) == 0;
}

/* Goes on after `event` as far as can be. False: it has failed. */
static bool run(struct filter_link *link, enum milter_event event, struct span *input)
{
        struct text *out = link_out(link);
        bool is_broken = false;

        for (;;) {
                if (event == MILTER_FAILED || event == MILTER_CLOSE)
                        return false;
                if (event == MILTER_ANSWERED)
                        link->objects = has_objection(link);
                if (event != MILTER_WAITS)
                        event = milter_input(&link->milter, input);
                else if (may_give(link, &is_broken))
                        event = give_next(link, out);
                else
                        break;
        }
        if (!is_broken && flush(link)) {
                stream_set_deadline(&link->stream, link->milter.deadline_ms);
                return true;
        }
        (void)milter_lost(&link->milter);
        return false;
}

static void set_asked(struct filter_link *link, bool is_asked)
{
        struct filter_links *idle = &link->filtering->worker->filters->idle[link->filter->count_index];

        if (is_asked && !link->is_asked)
                TAILQ_REMOVE(idle, link, entry);
        else if (!is_asked && link->is_asked)
                TAILQ_INSERT_TAIL(idle, link, entry);
        link->is_asked = is_asked;
}

/* What has come of the question; DONE is the last step, and its answer is in where the next could be given. */
static enum link_answer answer_of(const struct filter_link *link)
{
        if (link->objects)
                return LINK_OBJECTS;
        return link->next == LINK_DONE && milter_takes_step(&link->milter) ? LINK_CONTENT : LINK_WAITS;
}

/* What follows an event of the stream may end the link, and the session. */
static void tell(struct filter_link *link, bool is_alive)
{
        enum link_answer answer = is_alive ? answer_of(link) : LINK_FAILED;

        if (link->is_asked && answer != LINK_WAITS) {
                set_asked(link, false);
                filter_client_answered(link->filtering, link, answer);
        } else if (!is_alive) {
                filter_client_lost(link->filtering, link);
        }
}

static bool connected(struct filter_link *link)
{
        struct text *out = link_out(link);
        struct span nothing = SPAN("");

        link->is_begun = true;
        milter_begin(&link->milter, &link->terms, link->stream.streams->now_ms, out);
        return run(link, MILTER_WAITS, &nothing);
}

static bool readable(struct filter_link *link)
{
        struct span input;

        for (int i = 0; i < STREAM_TURN_READS; i++) {
                switch (stream_receive(&link->stream, &input)) {
                case STREAM_NOTHING:
                        return true;
                case STREAM_END:
                        (void)milter_lost(&link->milter);
                        return false;
                case STREAM_OCTETS:
                        break;
                }
                link->is_kept = false;
                if (!run(link, milter_input(&link->milter, &input), &input))
                        return false;
                if (!stream_keep(&link->stream, input)) {
                        (void)milter_lost(&link->milter);
                        return false;
                }
                if (link->is_asked && answer_of(link) != LINK_WAITS)
                        break;
        }
        if (link->stream.is_readable)
                stream_read_later(&link->stream);
        return true;
}

static bool take_event(struct filter_link *link, enum stream_event event)
{
        struct span nothing = SPAN("");

        link->milter.now_ms = link->stream.streams->now_ms;
        switch (event) {
        case STREAM_CONNECTED:
                return connected(link);
        case STREAM_READABLE:
                return readable(link);
        case STREAM_SENT:
                milter_sent(&link->milter, 0);
                return run(link, MILTER_WAITS, &nothing);
        case STREAM_LATE:
                return link->is_begun && run(link, milter_timeout(&link->milter), &nothing);
        case STREAM_LOST:
                break;
        }
        if (link->is_begun)
                (void)milter_lost(&link->milter);
        return false;
}

static void act(struct stream *stream, enum stream_event event)
{
        struct filter_link *link = (struct filter_link *)stream;

        if (!link->is_begun)
                link->milter.why =
                    event == STREAM_LATE ? "no connection came about in time" : "it takes no connection";
        tell(link, take_event(link, event));
}

/* ---- life ---------------------------------------------------------------------------------------------- */

static void set_terms(struct filter_link *link)
{
        const struct filter_options *options = &link->filter->options;

        link->terms.actions = MILTER_ACTIONS_ALL;
        memcpy(link->terms.patience_ms, milter_patience_most_ms, sizeof link->terms.patience_ms);
        link->terms.patience_ms[MILTER_PATIENCE_options] = options->connect_timeout_ms;
        link->terms.patience_ms[MILTER_PATIENCE_command] = options->command_timeout_ms;
        link->terms.patience_ms[MILTER_PATIENCE_end] = options->end_timeout_ms;
        link->terms.patience_ms[MILTER_PATIENCE_content] = options->content_timeout_ms;
}

struct filter_link *link_open(struct filtering *filtering, const struct mail_filter *filter)
{
        struct worker *worker = filtering->worker;
        struct filter_link *link = malloc(sizeof *link);

        if (link == NULL)
                return NULL;
        *link = (struct filter_link){.filtering = filtering, .filter = filter, .is_asked = true};
        set_terms(link);
        if (!stream_open(&link->stream, worker->streams, &filter->address, act)) {
                free(link);
                return NULL;
        }
        stream_set_deadline(&link->stream, worker->streams->now_ms + filter->options.connect_timeout_ms);
        worker->filters->links[FILTER_MILTER][filter->count_index]++;
        set_asked(link, false);
        return link;
}

bool link_knows_message(const struct filter_link *link)
{
        return strcmp(link->message_id, link->filtering->question.message->id) == 0;
}

/* Where it has to begin for this question. What it was told of another message counts no more. */
static enum link_step first_step(struct filter_link *link)
{
        const struct filter_question *question = &link->filtering->question;
        const struct session *session = filtering_session(link->filtering);

        if (link_knows_message(link))
                return question->about == FILTER_ABOUT_TEXT ? LINK_DATA : LINK_RCPT;
        link->untold = first_told(question->message->recipients);
        if (question->about == FILTER_ABOUT_RECIPIENT)
                link->filtering->told_again += question->message->recipient_count;
        if (question->about == FILTER_ABOUT_TEXT && link->untold == NULL)
                return LINK_DONE;
        if (!link->is_introduced)
                return LINK_CONNECT;
        link->is_kept = true;
        milter_abort(&link->milter, link_out(link));
        return link->helo == session->helo.at ? LINK_MAIL : LINK_HELO;
}

enum link_answer link_ask(struct filter_link *link)
{
        struct span nothing = SPAN("");

        set_asked(link, true);
        link->objects = link->giving.lacks_blank_line = false;
        link->milter.now_ms = link->stream.streams->now_ms;
        link->next = first_step(link);
        if (!link->is_begun)
                return LINK_WAITS;
        bool is_alive = run(link, milter_input(&link->milter, &nothing), &nothing);
        enum link_answer answer = is_alive ? answer_of(link) : LINK_FAILED;
        set_asked(link, answer == LINK_WAITS);
        return answer;
}

bool link_was_let_go(const struct filter_link *link)
{
        return link->is_kept && link->milter.failure == MILTER_FAILED_BY_CLOSE;
}

void link_close(struct filter_link *link)
{
        struct filter_work *work = link->filtering->worker->filters;

        if (link->is_begun && milter_takes_step(&link->milter) && stream_unsent(&link->stream) == 0) {
                milter_quit(&link->milter, &work->out);
                (void)stream_send(&link->stream, text_span(&work->out));
        }
        work->out.length = 0;
        edits_drop(link);
        set_asked(link, true);
        work->links[FILTER_MILTER][link->filter->count_index]--;
        stream_close(&link->stream);
}
