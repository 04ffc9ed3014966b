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
        return session->host->under_stress ? pause / 4 : pause;
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

enum session_wish greeting_begin(struct session *session, struct text *out)
{
        stage_connect(session);
        if (session->peer.is_greeted || (pause_ms(session) == 0 && !session->came_early))
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
        return session->came_early ? unclear_ends_ms(session) : session->waiting_since_ms + pause_ms(session);
}

enum session_wish pause_timeout(struct session *session, struct text *out)
{
        /* What is kept is offered next, and is not waited for any longer. */
        return session->came_early ? SESSION_READ : greet(session, out);
}
