/* What EHLO tells (RFC 5321 4.1.1.1). */
#include "core/smtp/internal.h"

static bool is_withheld(const struct session *session, enum ehlo_keyword keyword)
{
        return session->terms.ehlo_without >> keyword & 1;
}

static void begin_line(struct text *out, size_t *last)
{
        *last = out->length;
        text_put_string(out, "250-");
}

/* What follows the keyword, and whether it is told at all. */
static bool put_keyword(struct session *session, enum ehlo_keyword keyword, struct text *out)
{
        const struct options *options = &session->snapshot->options;

        if (keyword == EHLO_STARTTLS) {
                if (!starttls_is_offered(session))
                        return false;
        } else if (is_withheld(session, keyword) ||
                   (keyword == EHLO_XCLIENT && session->naming != NAMING_OPEN)) {
                return false;
        }
        text_put_string(out, ehlo_keyword_names[keyword]);
        if (keyword == EHLO_XCLIENT)
                text_put_string(out, " NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT");
        if (keyword == EHLO_LIMITS) {
                text_put_string(out, " RCPTMAX=");
                text_put_number(out, options->recipients_max);
        }
        /* RFC 1870 3: what no message may exceed, ever. Who sends one that does, gives up; so what is short for the
         * moment is no part of it, and is answered 452. */
        if (keyword == EHLO_SIZE) {
                text_put_char(out, ' ');
                text_put_number(out, options->message_size_max_octets);
        }
        return true;
}

/* PIPELINING is left out on purpose: who does not wait for replies is caught by it (P11). */
void ehlo_put_capabilities(struct session *session, struct text *out)
{
        size_t last;

        begin_line(out, &last);
        text_put_string(out, session->snapshot->options.hostname);
        text_put_string(out, "\r\n");
        for (enum ehlo_keyword keyword = 0; keyword < EHLO_KEYWORD_COUNT; keyword++) {
                size_t before = out->length, last_before = last;
                begin_line(out, &last);
                if (put_keyword(session, keyword, out)) {
                        text_put_string(out, "\r\n");
                } else {
                        out->length = before;
                        last = last_before;
                }
        }
        out->at[last + 3] = ' ';
        session->last_code = 250;
        if (session->tape != NULL)
                tape_reply(session, REPLY_helo);
        counter_add(&session->host->counters->replies[session->last_code - REPLY_CODE_MIN], 1);
}
