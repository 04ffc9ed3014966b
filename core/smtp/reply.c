/* Reply lines out of the snapshot's templates. */
#include "conf/value/policy_url.h"
#include "core/smtp/internal.h"

/* Without CRLF, RFC 5321 4.5.3.1.5. What everybody must take at least is the most that may be said. */
#define REPLY_LINE_MAX 510

static void put_placeholder(const struct session *session, struct text *line, char which,
                            const struct reply_about *about)
{
        bool utf8 = session->transaction != NULL && session->transaction->message.is_smtputf8;

        switch (which) {
        case 'r':
                text_put_printable(line, about->recipient, utf8);
                break;
        case 's':
                if (session->transaction != NULL)
                        text_put_printable(line, session->transaction->message.sender, utf8);
                break;
        case 'h':
                text_put_printable(line, session->helo, false);
                break;
        case 'c':
                address_write(line, &session->peer.client);
                break;
        case 'n':
                text_put_string(line, session->snapshot->options.hostname);
                break;
        case 'v':
                text_put_printable(line, about->subject, utf8);
                break;
        default:
                text_put_char(line, which);
        }
}

static void put_template(const struct session *session, struct text *line, struct span template,
                         const struct reply_about *about)
{
        size_t percent;

        while ((percent = span_find(template, '%')) < template.length) {
                text_put(line, span_of(template.at, percent));
                put_placeholder(session, line, template.at[percent + 1], about);
                template = span_skip(template, percent + 2);
        }
        text_put(line, template);
}

static void put_status(struct text *line, const struct reply_template *template,
                       const struct reply_about *about)
{
        if (about->code == 0) {
                text_put(line, template->status);
                return;
        }
        text_put_number(line, about->code);
        text_put_char(line, ' ');
        text_put(line, about->enhanced);
        text_put_char(line, ' ');
}

/* Policy address and reject id: they are never cut off. */
static void put_suffix(struct session *session, struct text *suffix)
{
        ids_write(&session->host->ids, session->host->wall_ms, session->reject_id);
        policy_url_put_suffix(suffix, session->snapshot->options.policy_url, session->reject_id);
}

void session_reply_about(struct session *session, struct text *out, enum reply_id id,
                         const struct reply_about *about)
{
        const struct reply_template *template = &session->snapshot->replies[id];
        char suffix_octets[POLICY_REPLY_SUFFIX_MAX];
        struct text line, suffix;

        text_over(&suffix, suffix_octets, sizeof suffix_octets);
        session->reject_id[0] = '\0';
        if (template->is_policy)
                put_suffix(session, &suffix);
        text_over(&line, out->at + out->length, REPLY_LINE_MAX - suffix.length);
        put_status(&line, template, about);
        put_template(session, &line, template->text, about);
        out->length += line.length;
        text_put(out, text_span(&suffix));
        text_put(out, SPAN("\r\n"));

        session->last_code = about->code != 0 ? about->code : template->code;
        counter_add(&session->host->counters->replies[session->last_code - REPLY_CODE_MIN], 1);
        if (session->last_code >= 500) {
                session->errors++;
                session->errors_total++;
        }
        if (session->tape != NULL)
                tape_reply(session, id);
        if (reply_infos[id].is_syntax)
                syntax_note(session, id, about->subject);
}

void session_reply(struct session *session, struct text *out, enum reply_id id)
{
        session_reply_about(session, out, id, &(struct reply_about){0});
}

enum session_wish session_close(struct session *session, struct text *out, enum reply_id id)
{
        return session_close_about(session, out, id, &(struct reply_about){0});
}

enum session_wish session_close_about(struct session *session, struct text *out, enum reply_id id,
                                      const struct reply_about *about)
{
        session_reply_about(session, out, id, about);
        session->state = SESSION_STATE_CLOSED;
        session->ending = id == REPLY_goodbye ? SESSION_ENDED_BY_QUIT : SESSION_ENDED_BY_US;
        session->closed_with = id;
        return SESSION_CLOSE;
}
