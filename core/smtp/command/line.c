/* Command lines (RFC 5321 2.3.8, 4.5.3.1.4): from octets to whole lines, and how long one may take. */
#include "core/smtp/internal.h"

#define ENDLESS_MAX      524288 /* a line of more octets than this ends the session, however it comes */
#define BAD_LINE_WAIT_MS 5000   /* a bare CR or LF ends no line: the CRLF must follow soon */

/* The first fault of the line as such, or REPLY_NONE. */
static enum reply_id line_fault(const struct session *session, struct text *evidence)
{
        if (session->line_skipped > ENDLESS_MAX) {
                text_put_string(evidence, "more than ");
                syntax_put_length(evidence, ENDLESS_MAX);
                return REPLY_line_endless;
        }
        if (session->line_bare != '\0') {
                syntax_put_octet(evidence, session->line_bare_at);
                return session->line_bare == '\r' ? REPLY_line_bare_cr : REPLY_line_bare_lf;
        }
        if (session->line_skipped == 0)
                return REPLY_NONE;
        syntax_put_length(evidence, session->line_skipped + 2);
        return REPLY_line_too_long;
}

static enum session_wish close_line(struct session *session, struct text *out)
{
        char octets[SYNTAX_EVIDENCE_MAX];
        struct text evidence;

        text_over(&evidence, octets, sizeof octets);
        enum reply_id fault = line_fault(session, &evidence);
        return session_close_about(session, out, fault,
                                   &(struct reply_about){.subject = text_span(&evidence)});
}

/* A whole line is at the front of *input: it is run, unless more follows that should have waited for the
 * answer. */
static enum session_wish run_line(struct session *session, struct span line, struct span *input,
                                  struct text *out)
{
        char octets[SYNTAX_EVIDENCE_MAX];
        struct text evidence;
        enum session_wish wish;
        /* Of a line this long the beginning may be gone already: nothing of it is logged, however it came. */
        if (session->line_skipped > 0 || line.length >= LINE_KEEP_MAX) {
                session->line_skipped += (uint32_t)line.length;
                line = span_of(line.at, 0);
        }
        if (session->line_skipped > ENDLESS_MAX)
                return close_line(session, out);
        text_over(&evidence, octets, sizeof octets);
        enum reply_id fault = line_fault(session, &evidence);
        session->line_bare = '\0';
        session->line_skipped = 0;
        if (input->length > 0 && session_is_too_early(session, *input, out, &wish))
                return wish;
        wish = command_run(session, line, fault, text_span(&evidence), out);
        if (wish == SESSION_SECURE && input->length > 0)
                return session_close_behind_starttls(session, *input, out);
        if (wish == SESSION_READ)
                session_wait(session);
        return wish;
}

/* The offset of the LF that ends the line, or SIZE_MAX; notes bare CR and LF on the way (RFC 5321 2.3.8). */
static size_t line_end(struct session *session, struct span input)
{
        /* Of nearly every line the first CR and the first LF are the two that end it. */
        size_t first = span_find(input, '\n');
        if (first != SIZE_MAX && first > 0 && span_find(span_of(input.at, first), '\r') == first - 1)
                return first;
        for (size_t at = 0; at < input.length; at++) {
                if (input.at[at] == '\r' && at + 1 == input.length)
                        break;
                if (input.at[at] == '\r' && input.at[at + 1] == '\n')
                        return at + 1;
                if ((input.at[at] != '\r' && input.at[at] != '\n') || session->line_bare != '\0')
                        continue;
                session->line_bare = input.at[at];
                session->line_bare_at = session->line_skipped + (uint32_t)at;
        }
        return SIZE_MAX;
}

/* Overlong lines are not kept, but a CR at their end is: it may begin the CRLF. Their one reply comes when they
 * have ended, so that the client hears it when it listens, and goes on with its next command (RFC 5321 3.8). */
static enum session_wish skip_line(struct session *session, struct span *input, struct text *out)
{
        size_t length = input->length - (input->at[input->length - 1] == '\r');
        session->line_skipped += (uint32_t)length;
        *input = span_skip(*input, length);
        return session->line_skipped > ENDLESS_MAX ? close_line(session, out) : SESSION_READ;
}

static enum session_wish read_command(struct session *session, struct span *input, struct text *out)
{
        bool was_bad = session->line_bare != '\0';
        size_t end = line_end(session, *input);

        if (end != SIZE_MAX) {
                struct span line = span_of(input->at, end - 1);
                *input = span_skip(*input, end + 1);
                return run_line(session, line, input, out);
        }
        if (session->line_bare != '\0' && !was_bad)
                session_wait(session);
        if (input->length > LINE_KEEP_MAX || session->line_skipped > 0)
                return skip_line(session, input, out);
        return SESSION_READ;
}

/* A balancer may name the client on any listener, before anything else was said. */
enum session_wish line_read(struct session *session, struct span *input, struct text *out)
{
        enum session_wish wish;
        if (optional_header_read(session, input, out, &wish) ||
            foreign_is_closed(session, *input, out, &wish))
                return wish;
        return read_command(session, input, out);
}

uint64_t line_deadline_ms(const struct session *session)
{
        const struct options *options = &session->snapshot->options;
        uint64_t idle_ms = session_patience_ms(session, options->idle_timeout_ms);
        uint64_t old_ms = session->peer.accepted_ms + options->session_timeout_ms;

        if (session->line_bare != '\0' && idle_ms > BAD_LINE_WAIT_MS)
                idle_ms = BAD_LINE_WAIT_MS;
        return session->waiting_since_ms + idle_ms < old_ms ? session->waiting_since_ms + idle_ms : old_ms;
}

enum session_wish line_timeout(struct session *session, struct text *out)
{
        if (session->line_bare != '\0')
                return close_line(session, out);
        counter_add(&session->host->counters->metrics[METRIC_sessions_timed_out], 1);
        bool is_old = session->host->now_ms >=
                      session->peer.accepted_ms + session->snapshot->options.session_timeout_ms;
        return session_close(session, out, is_old ? REPLY_session_too_long : REPLY_idle);
}
