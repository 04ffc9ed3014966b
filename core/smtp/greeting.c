/* Before the banner: the PROXY header that a listener demands, and the greeting pause. */
#include "core/smtp/internal.h"

#define HEADER_WAIT_MS  30000
#define UNCLEAR_WAIT_MS 1000 /* at least, for the rest of what may begin another protocol */

static uint64_t pause_ms(const struct session *session)
{
        uint64_t pause = session->snapshot->options.greeting_pause_ms;
        /* A balancer that looks whether we live does not wait for long. */
        if (session->is_trusted || rate_spares(session) || session->naming == NAMING_NOBODY)
                return 0;
        return session->host->rung >= RUNG_hurry ? pause / 4 : pause;
}

static enum session_wish greet(struct session *session, struct text *out)
{
        size_t before = out->length;

        session->state = SESSION_STATE_COMMAND;
        session->came_early = false;
        session_reply(session, out, REPLY_banner);
        if (session->peer.is_greeted)
                out->length = before;
        session_wait(session);
        return SESSION_READ;
}

/* ---- in turn ------------------------------------------------------------------------------------------- */

/* When it is the session's turn, and the next one's a little later: so those who wait need no queue, and come in the
 * order in which they came. False: its turn would be too late to be of use. */
static bool take_turn(struct session *session)
{
        struct session_host *host = session->host;
        const struct options *options = &session->snapshot->options;
        uint64_t now_us = host->now_ms * 1000, turn_us = host->turn_us > now_us ? host->turn_us : now_us;

        if (host->rung < RUNG_turn || session->is_known || session->peer.is_greeted ||
            session->naming == NAMING_OPEN || session->naming == NAMING_NOBODY)
                return true;
        if (turn_us - now_us > options->stress_timeout_ms * 1000)
                return false;
        session->turn_ms = turn_us / 1000;
        host->turn_us = turn_us + 1000000 / options->turn_rate;
        counter_add(&host->counters->metrics[METRIC_clients_in_turn], 1);
        return true;
}

/* 0: it needs none, or no more. */
static uint64_t turn_ms(const struct session *session)
{
        return session->host->rung >= RUNG_turn ? session->turn_ms : 0;
}

/* Nothing but its turn keeps the banner back any more. */
static bool waits_for_turn(const struct session *session)
{
        uint64_t now_ms = session->host->now_ms;

        return session->state == SESSION_STATE_PAUSE && now_ms < turn_ms(session) &&
               now_ms >= session->waiting_since_ms + pause_ms(session);
}

/* ---- the banner ---------------------------------------------------------------------------------------- */

enum session_wish greeting_begin(struct session *session, struct text *out)
{
        if (!take_turn(session)) {
                counter_add(&session->host->counters->metrics[METRIC_clients_unserved], 1);
                return session_close(session, out, REPLY_overloaded_client);
        }
        stage_connect(session);
        bool is_due = pause_ms(session) == 0 && turn_ms(session) <= session->host->now_ms;
        if (session->peer.is_greeted || (is_due && !session->came_early))
                return greet(session, out);
        session->state = SESSION_STATE_PAUSE;
        session_wait(session);
        return SESSION_READ;
}

static uint64_t unclear_ends_ms(const struct session *session)
{
        uint64_t wait_ms = pause_ms(session);
        return session->waiting_since_ms + (wait_ms < UNCLEAR_WAIT_MS ? UNCLEAR_WAIT_MS : wait_ms);
}

/* Octets have come before the banner. HTTP and TLS are told what they are told behind it, whenever they come and in
 * whatever pieces: what may yet be one of them is kept, until the rest has come or its time is up. True: the session
 * is over, *ret_wish tells. */
static bool is_over_before_banner(struct session *session, struct span input, struct text *out,
                                  enum session_wish *ret_wish)
{
        bool has_time =
            session->state != SESSION_STATE_PAUSE || session->host->now_ms < unclear_ends_ms(session);

        if (foreign_is_closed(session, input, out, ret_wish))
                return true;
        /* Without load it would have been greeted by now: it is not refused for that. */
        if (waits_for_turn(session)) {
                *ret_wish = session_close(session, out, REPLY_overloaded_client);
                return true;
        }
        session->came_early = has_time && session_minds_early(session) && foreign_may_follow(input);
        return !session->came_early && session_is_too_early(session, input, out, ret_wish);
}

/* ---- the header that is demanded ----------------------------------------------------------------------- */

enum session_wish header_read(struct session *session, struct span *input, struct text *out)
{
        enum session_wish wish;

        switch (proxy_read(session, input)) {
        case PROXY_PART:
                return SESSION_READ;
        case PROXY_DONE:
                if (named_client_is_refused(session, out, &wish))
                        return wish;
                if (input->length > 0 && is_over_before_banner(session, *input, out, &wish))
                        return wish;
                return greeting_begin(session, out);
        case PROXY_NONE:
        case PROXY_BAD:
                break;
        }
        return session_close(session, out, REPLY_proxy_bad);
}

uint64_t header_deadline_ms(const struct session *session)
{
        return session->waiting_since_ms + HEADER_WAIT_MS;
}

enum session_wish header_timeout(struct session *session, struct text *out)
{
        (void)out; /* a balancer that says nothing is told nothing: nobody there would understand */
        session->state = SESSION_STATE_CLOSED;
        session->ending = SESSION_ENDED_BY_US;
        return SESSION_CLOSE;
}

/* ---- the pause ----------------------------------------------------------------------------------------- */

bool optional_header_read(struct session *session, struct span *input, struct text *out,
                          enum session_wish *ret_wish)
{
        bool may_begin =
            session->naming == NAMING_OPEN && session->commands_total == 0 && session->line_skipped == 0;
        if (!may_begin && session->header_left == 0)
                return false;
        *ret_wish = SESSION_READ;
        switch (proxy_read(session, input)) {
        case PROXY_NONE:
                return false;
        case PROXY_PART:
                return true;
        case PROXY_DONE:
                if (!named_client_is_refused(session, out, ret_wish))
                        stage_connect(session);
                return true;
        case PROXY_BAD:
                break;
        }
        *ret_wish = session_close(session, out, REPLY_proxy_bad);
        return true;
}

enum session_wish pause_read(struct session *session, struct span *input, struct text *out)
{
        enum session_wish wish;

        if (optional_header_read(session, input, out, &wish)) {
                session_set_deadline(session); /* whom the header names may need no pause */
                return wish;
        }
        if (is_over_before_banner(session, *input, out, &wish))
                return wish;
        session_set_deadline(session);
        if (session->host->now_ms < session->deadline_ms)
                return SESSION_READ;
        greet(session, out);
        return line_read(session, input, out);
}

uint64_t pause_deadline_ms(const struct session *session)
{
        uint64_t pause_ends_ms = session->waiting_since_ms + pause_ms(session);

        if (session->came_early)
                return unclear_ends_ms(session);
        return turn_ms(session) > pause_ends_ms ? turn_ms(session) : pause_ends_ms;
}

enum session_wish pause_timeout(struct session *session, struct text *out)
{
        /* What is kept is offered next, and is not waited for any longer. */
        return session->came_early ? SESSION_READ : greet(session, out);
}
