/* The session's states: one function each, driven by a short loop. */
#include "core/smtp/internal.h"

#define SESSION_ARENA_MAX 65536
/* Of one answer. The client decides how many addresses its names have: whatever it answers must leave room
 * for what the lists say of it, which may come last. */
#define ADDRESSES_OCTETS_MAX 8192
#define LINE_KEEP_MAX        2048 /* an unended line longer than this is overlong already */
#define PROXY_HEADER_WAIT_MS 30000
#define BAD_LINE_WAIT_MS     5000 /* a bare CR or LF ends no line: the CRLF must follow soon */
#define SESSION_MIN(a, b)    ((a) < (b) ? (a) : (b))

static uint64_t stressed(const struct session *session, uint64_t timeout_ms)
{
        return session->host->under_stress
                   ? SESSION_MIN(timeout_ms, session->snapshot->options.stress_timeout_ms)
                   : timeout_ms;
}

static uint64_t pause_ms(const struct session *session)
{
        uint64_t pause = session->snapshot->options.greeting_pause_ms;
        if (session->client_has_good_history &&
            session->snapshot->checks[CHECK_client_rate].mode == CHECK_MODE_ENFORCE)
                return 0;
        return session->host->under_stress ? pause / 4 : pause;
}

void session_set_deadline(struct session *session)
{
        const struct options *options = &session->snapshot->options;
        uint64_t since = session->waiting_since_ms;

        switch (session->state) {
        case SESSION_STATE_PROXY:
                session->deadline_ms = since + PROXY_HEADER_WAIT_MS;
                break;
        case SESSION_STATE_PAUSE:
                session->deadline_ms = since + pause_ms(session);
                break;
        case SESSION_STATE_COMMAND:
                session->deadline_ms = SESSION_MIN(since + stressed(session, options->idle_timeout_ms),
                                                   session->begun_ms + options->session_timeout_ms);
                if (session->line_is_bad)
                        session->deadline_ms = SESSION_MIN(session->deadline_ms, since + BAD_LINE_WAIT_MS);
                break;
        case SESSION_STATE_PARKED:
                session->deadline_ms = parked_deadline_ms(session);
                break;
        case SESSION_STATE_TEXT:
                session->deadline_ms = text_deadline_ms(session, stressed(session, options->data_timeout_ms));
                break;
        case SESSION_STATE_STORE:
        case SESSION_STATE_CLOSED:
                session->deadline_ms = UINT64_MAX;
                break;
        }
}

struct session_oddities *session_oddities(struct session *session)
{
        if (session->oddities == NULL &&
            (session->oddities = arena_take(&session->arena, sizeof *session->oddities)) != NULL)
                *session->oddities = (struct session_oddities){0};
        return session->oddities;
}

void session_wait(struct session *session)
{
        session->waiting_since_ms = session->host->now_ms;
        session_set_deadline(session);
}

static enum session_wish greet(struct session *session, struct text *out)
{
        size_t before = out->length;

        session->state = SESSION_STATE_COMMAND;
        session_reply(session, out, REPLY_banner);
        if (session->peer.is_greeted)
                out->length = before;
        session_wait(session);
        return SESSION_READ;
}

/* Who the client is, is settled: questions about it go out while it waits for the banner. */
static enum session_wish pause_or_greet(struct session *session, struct text *out)
{
        stage_connect(session);
        if (session->peer.is_greeted || pause_ms(session) == 0 || session->is_trusted)
                return greet(session, out);
        session->state = SESSION_STATE_PAUSE;
        session_wait(session);
        return SESSION_READ;
}

void session_set_client(struct session *session, const struct address *client, uint16_t port)
{
        transaction_end(session);
        rate_settle(session);
        session->peer.client = *client;
        session->peer.client_port = port;
        session->is_trusted = network_list_contains(&session->snapshot->options.trusted_networks, client);
        rate_client_is_known(session);
        session->helo = (struct span){0};
        session->verdicts = (struct verdict_list){0};
        memo_init(&session->memo, &session->arena, session_dns(session), session->peer.dns_handle,
                  (uint32_t)session->snapshot->options.dns_questions_max);
}

enum session_wish session_begin(struct session *session, struct session_host *host,
                                const struct snapshot *snapshot, const struct session_peer *peer,
                                struct text *out)
{
        *session = (struct session){
            .host = host,
            .snapshot = snapshot,
            .begun_ms = peer->accepted_ms == 0 ? host->now_ms : SESSION_MIN(peer->accepted_ms, host->now_ms),
            .connected = peer->client,
            .peer = *peer,
            .ending = SESSION_ENDED_BY_CLIENT,
            .closed_with = REPLY_NONE,
        };
        arena_init(&session->arena, &host->session_pool,
                   SESSION_ARENA_MAX + (size_t)snapshot->options.dns_questions_max * ADDRESSES_OCTETS_MAX);
        arena_init(&session->record_arena, &host->session_pool, SESSION_ARENA_MAX);
        counter_add(&host->counters->metrics[METRIC_sessions], 1);
        session->may_proxy = network_list_contains(&snapshot->options.proxy_networks, &peer->client);
        session_set_client(session, &peer->client, peer->client_port);
        if (peer->needs_proxy_header && !session->may_proxy)
                return session_close(session, out, REPLY_proxy_not_trusted);
        session->state = SESSION_STATE_PROXY;
        if (!peer->needs_proxy_header)
                pause_or_greet(session, out);
        session->waiting_since_ms = session->begun_ms;
        session_set_deadline(session);
        return SESSION_READ;
}

/* ---- input --------------------------------------------------------------------------------------------- */

/* A whole line is at the front of *input: it is run, unless more follows that should have waited for the
 * answer. */
static enum session_wish run_line(struct session *session, struct span line, struct span *input,
                                  struct text *out)
{
        enum session_wish wish;
        /* Of a line this long the beginning may be gone already: nothing of it is logged, however it came. */
        if (session->line_skipped > 0 || line.length >= LINE_KEEP_MAX) {
                session->line_skipped += (uint32_t)line.length;
                line = span_of(line.at, 0);
        }
        enum reply_id fault = session->line_is_bad        ? REPLY_line_bad_octet
                              : session->line_skipped > 0 ? REPLY_line_too_long
                                                          : REPLY_NONE;
        session->line_is_bad = false;
        session->line_skipped = 0;
        if (input->length > 0 && session_is_too_early(session, *input, out, &wish))
                return wish;
        wish = command_run(session, line, fault, out);
        if (wish == SESSION_READ)
                session_wait(session);
        return wish;
}

/* The offset of the LF that ends the line, or SIZE_MAX; notes bare CR and LF on the way (RFC 5321 2.3.8). */
static size_t line_end(struct session *session, struct span input)
{
        for (size_t at = 0; at < input.length; at++) {
                if (input.at[at] == '\r' && at + 1 == input.length)
                        break;
                if (input.at[at] == '\r' && input.at[at + 1] == '\n')
                        return at + 1;
                if (input.at[at] == '\r' || input.at[at] == '\n')
                        session->line_is_bad = true;
        }
        return SIZE_MAX;
}

/* Overlong lines are not kept, but a CR at their end is: it may begin the CRLF. */
static enum session_wish skip_line(struct session *session, struct span *input, struct text *out)
{
        size_t length = input->length - (input->at[input->length - 1] == '\r');
        session->line_skipped += (uint32_t)length;
        *input = span_skip(*input, length);
        if (session->line_skipped > SESSION_LINE_MAX)
                return session_close(session, out, REPLY_line_too_long);
        return SESSION_READ;
}

static enum session_wish read_command(struct session *session, struct span *input, struct text *out)
{
        bool was_bad = session->line_is_bad;
        size_t end = line_end(session, *input);

        if (end != SIZE_MAX) {
                struct span line = span_of(input->at, end - 1);
                *input = span_skip(*input, end + 1);
                return run_line(session, line, input, out);
        }
        if (session->line_is_bad && !was_bad)
                session_wait(session);
        if (input->length > LINE_KEEP_MAX || session->line_skipped > 0)
                return skip_line(session, input, out);
        return SESSION_READ;
}

static enum session_wish read_proxy_header(struct session *session, struct span *input, struct text *out)
{
        enum session_wish wish;

        switch (proxy_read(session, input)) {
        case PROXY_PART:
                return SESSION_READ;
        case PROXY_DONE:
                session->may_proxy = false;
                if (rate_refuses_named_client(session, out, &wish))
                        return wish;
                if (input->length > 0 && session_is_too_early(session, *input, out, &wish))
                        return wish;
                return pause_or_greet(session, out);
        case PROXY_NONE:
        case PROXY_BAD:
                break;
        }
        return session_close(session, out, REPLY_proxy_bad);
}

/* A balancer may name the client on any listener, before anything else was said. */
static bool read_optional_header(struct session *session, struct span *input, struct text *out,
                                 enum session_wish *ret_wish)
{
        if (!session->may_proxy || session->commands_total > 0)
                return false;
        *ret_wish = SESSION_READ;
        switch (proxy_read(session, input)) {
        case PROXY_NONE:
                return false;
        case PROXY_PART:
                return true;
        case PROXY_DONE:
                session->may_proxy = false;
                if (!rate_refuses_named_client(session, out, ret_wish))
                        stage_connect(session);
                return true;
        case PROXY_BAD:
                break;
        }
        *ret_wish = session_close(session, out, REPLY_proxy_bad);
        return true;
}

static enum session_wish read_pause(struct session *session, struct span *input, struct text *out)
{
        enum session_wish wish;
        if (read_optional_header(session, input, out, &wish))
                return wish;
        if (session_is_too_early(session, *input, out, &wish))
                return wish;
        return SESSION_READ;
}

static enum session_wish read_once(struct session *session, struct span *input, struct text *out)
{
        enum session_wish wish;

        switch (session->state) {
        case SESSION_STATE_PROXY:
                return read_proxy_header(session, input, out);
        case SESSION_STATE_PAUSE:
                return read_pause(session, input, out);
        case SESSION_STATE_COMMAND:
                if (read_optional_header(session, input, out, &wish))
                        return wish;
                return read_command(session, input, out);
        case SESSION_STATE_TEXT:
                wish = text_read(session, input, out);
                if (wish == SESSION_READ)
                        session_wait(session);
                return wish;
        case SESSION_STATE_PARKED:
        case SESSION_STATE_STORE:
        case SESSION_STATE_CLOSED:
                break;
        }
        expect(false);
}

enum session_wish session_input(struct session *session, struct span *input, struct text *out)
{
        enum session_wish wish = SESSION_READ;

        while (wish == SESSION_READ && input->length > 0 && text_room(out) >= SESSION_OUT_ROOM) {
                size_t before = input->length;
                wish = read_once(session, input, out);
                if (input->length == before)
                        break;
        }
        return wish;
}

/* ---- other events -------------------------------------------------------------------------------------- */

static enum session_wish command_timeout(struct session *session, struct text *out)
{
        if (session->line_is_bad)
                return session_close(session, out, REPLY_line_bad_octet);
        counter_add(&session->host->counters->metrics[METRIC_sessions_timed_out], 1);
        bool is_old =
            session->host->now_ms >= session->begun_ms + session->snapshot->options.session_timeout_ms;
        return session_close(session, out, is_old ? REPLY_session_too_long : REPLY_idle);
}

enum session_wish session_timeout(struct session *session, struct text *out)
{
        enum session_wish wish = SESSION_READ;

        switch (session->state) {
        case SESSION_STATE_PROXY:
                /* A balancer that says nothing is told nothing: nobody there would understand. */
                session->state = SESSION_STATE_CLOSED;
                session->ending = SESSION_ENDED_BY_US;
                return SESSION_CLOSE;
        case SESSION_STATE_PAUSE:
                return greet(session, out);
        case SESSION_STATE_COMMAND:
                return command_timeout(session, out);
        case SESSION_STATE_PARKED:
                return parked_timeout(session, out);
        case SESSION_STATE_TEXT:
                wish = text_timeout(session, out);
                if (wish == SESSION_READ)
                        session_set_deadline(session);
                return wish;
        case SESSION_STATE_STORE:
        case SESSION_STATE_CLOSED:
                break;
        }
        expect(false);
}

enum session_wish session_stored(struct session *session, enum store_outcome outcome, struct text *out)
{
        static const enum reply_id replies[] = {[STORE_DONE] = REPLY_accepted,
                                                [STORE_FULL] = REPLY_storage_full,
                                                [STORE_FAILED] = REPLY_storage_failed};
        struct counters *counters = session->host->counters;
        enum session_wish wish;

        expect(session->state == SESSION_STATE_STORE);
        counter_add(
            &counters->metrics[outcome == STORE_DONE ? METRIC_messages_accepted : METRIC_messages_deferred],
            1);
        if (outcome == STORE_DONE) {
                stage_stored(session);
                rate_stored(session, session->transaction->message.recipient_count);
                session->messages_total++;
                session->commands = session->junk = session->errors = 0;
        }
        text_answer(session, replies[outcome], out);
        if (session->came_early && session_is_too_early(session, SPAN(""), out, &wish))
                return wish;
        session->came_early = false;
        return SESSION_READ;
}

enum session_wish session_stop(struct session *session, struct text *out)
{
        enum session_wish wish = session_wish_now(session);
        if (wish != SESSION_READ || session->state == SESSION_STATE_TEXT)
                return wish;
        if (session->state == SESSION_STATE_PROXY)
                session->state = SESSION_STATE_CLOSED;
        else
                session_close(session, out, REPLY_server_closing);
        session->ending = SESSION_ENDED_BY_STOP;
        return SESSION_CLOSE;
}

void session_end(struct session *session, enum session_ending ending)
{
        expect(session->state != SESSION_STATE_STORE);
        if (session->state != SESSION_STATE_CLOSED)
                session->ending = ending;
        session->state = SESSION_STATE_CLOSED;
        transaction_end(session);
        stage_count_zones(session);
        rate_settle(session);
        record_session(session);
        counter_add(&session->host->counters->metrics[METRIC_sessions_ended], 1);
        arena_end(&session->record_arena);
        arena_end(&session->arena);
}

struct message *session_message(struct session *session)
{
        bool is_there = session->state == SESSION_STATE_TEXT || session->state == SESSION_STATE_STORE;
        return is_there ? &session->transaction->message : NULL;
}
