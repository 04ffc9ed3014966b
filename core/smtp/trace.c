/* The Received field (RFC 5321 4.4). What the client said enters it only where it cannot break out: HELO by a
 * list of allowed octets, the recipient by the grammar that it has passed. */
#include "core/base/date.h"
#include "core/check/spf/received.h"
#include "core/check/spf/spf.h"
#include "core/smtp/internal.h"

static void put_helo(struct text *text, struct span helo)
{
        for (size_t i = 0; i < helo.length; i++) {
                char c = helo.at[i];
                text_put_char(text,
                              ascii_is_alnum(c) || (c != '\0' && strchr(".-_:[]", c) != NULL) ? c : '?');
        }
}

static const char *protocol_name(const struct session *session)
{
        if (session->transaction->is_smtputf8)
                return "UTF8SMTP"; /* RFC 6531 4.3 */
        return session->is_esmtp ? "ESMTP" : "SMTP";
}

/* Received-SPF (RFC 7208 9.1), above Received; nothing where SPF did not count or is not known, as for mail
 * to postmaster. */
static bool write_spf(struct session *session)
{
        struct transaction *transaction = session->transaction;
        char octets[SPF_RECEIVED_MAX];
        const struct spf_detail *detail;
        struct text field;

        if (session->is_trusted || !transaction->is_judged || !session->snapshot->check_is_wanted[CHECK_spf])
                return true;
        struct facts facts = stage_facts(session, &transaction->arena, &transaction->memo);
        struct spf_request request = spf_request_of(&facts);
        if (!spf_counts(&facts))
                return true;
        enum spf_result result = spf_lookup(&facts, &detail);
        if (result == SPF_WAIT)
                return true;
        text_over(&field, octets, sizeof octets);
        spf_write_received(&field, &request, result, detail);
        return content_append(&transaction->message.content, &session->host->content_pool, text_span(&field));
}

bool trace_write(struct session *session)
{
        struct transaction *transaction = session->transaction;
        char octets[2048];
        struct text field;

        text_over(&field, octets, sizeof octets);
        text_put_string(&field, "Received: from ");
        put_helo(&field, session->helo);
        text_put_string(&field, " ([");
        address_write_literal(&field, &session->peer.client);
        text_put_string(&field, "])\r\n\tby ");
        text_put_string(&field, session->snapshot->options.hostname);
        text_put_string(&field, " (gatepost) with ");
        text_put_string(&field, protocol_name(session));
        text_put_string(&field, " id ");
        text_put_string(&field, transaction->message.id);
        if (transaction->message.recipient_count == 1) {
                text_put_string(&field, "\r\n\tfor <");
                text_put(&field, transaction->message.recipients->address);
                text_put_char(&field, '>');
        }
        text_put_string(&field, ";\r\n\t");
        date_write_mail(&field, session->host->wall_ms / 1000);
        text_put_string(&field, "\r\n");
        expect(!field.overflowed);
        if (!write_spf(session))
                return false;
        return content_append(&transaction->message.content, &session->host->content_pool, text_span(&field));
}
