/* The Received field (RFC 5321 4.4), and those that checks write on top of it. What the client said enters it
 * only where it cannot break out: HELO by a list of allowed octets, the recipient by the grammar that it has
 * passed. */
#include "core/smtp/trace.h"

#include "core/base/date.h"
#include "core/check/dns/reverse.h"
#include "core/check/hooks.h"
#include "core/mail/front.h"
#include "core/smtp/command/next_hop.h"
#include "core/smtp/internal.h"

static bool is_of_name(char c)
{
        return ascii_is_alnum(c) || (c != '\0' && strchr(".-_:[]", c) != NULL);
}

static void put_name(struct text *text, struct span name)
{
        for (size_t i = 0; i < name.length; i++)
                text_put_char(text, is_of_name(name.at[i]) ? name.at[i] : '?');
}

static enum reverse_result find_reverse_name(struct session *session, struct reverse_names *ret_names)
{
        const struct options *options = &session->snapshot->options;

        if (!options->received_reverse_name && !options->authentication_results &&
            !filters_are_there(session))
                return REVERSE_NONE;
        struct facts facts = stage_facts(session, &session->arena, &session->memo);
        return reverse_lookup(&facts, ret_names);
}

void trace_prepare(struct session *session)
{
        struct reverse_names names;
        find_reverse_name(session, &names);
}

bool trace_waits(struct session *session)
{
        struct reverse_names names;
        return find_reverse_name(session, &names) == REVERSE_PENDING && !session_defers(session);
}

struct span trace_reverse_name(struct session *session, bool *ret_is_verified)
{
        struct reverse_names names;
        enum reverse_result result = find_reverse_name(session, &names);
        bool has_name = result == REVERSE_VERIFIED || result == REVERSE_UNVERIFIED;

        for (size_t i = 0; has_name && i < names.names[0].length; i++)
                has_name = is_of_name(names.names[0].at[i]);
        *ret_is_verified = has_name && result == REVERSE_VERIFIED;
        return has_name ? names.names[0] : SPAN("");
}

enum reverse_result trace_iprev(struct session *session)
{
        struct reverse_names names;
        return find_reverse_name(session, &names);
}

/* As other servers have it: a name that does not lead back is none, whatever it says. */
static void put_reverse_name(struct text *field, struct session *session)
{
        struct reverse_names names;

        if (!session->snapshot->options.received_reverse_name)
                return;
        if (find_reverse_name(session, &names) == REVERSE_VERIFIED)
                put_name(field, names.names[0]);
        else
                text_put_string(field, "unknown");
        text_put_char(field, ' ');
}

static const char *protocol_name(const struct session *session)
{
        bool is_secured = session_is_secured(session);

        if (session->transaction->message.is_smtputf8)
                return is_secured ? "UTF8SMTPS" : "UTF8SMTP"; /* RFC 6531 4.3 */
        if (!session->is_esmtp)
                return "SMTP"; /* RFC 3848 has no word for HELO under TLS; the comment tells of it */
        return is_secured ? "ESMTPS" : "ESMTP";
}

/* The names are OpenSSL's. */
static void put_tls(struct text *field, const struct session *session)
{
        const struct session_tls *tls = session->tls;

        if (!session_is_secured(session))
                return;
        text_put_string(field, " (");
        text_put_string(field, tls->version);
        text_put_char(field, ' ');
        text_put_string(field, tls->cipher);
        if (tls->group[0] != '\0') {
                text_put_char(field, ' ');
                text_put_string(field, tls->group);
        }
        text_put_string(field, ")\r\n\t");
}

static bool write_check_fields(struct session *session)
{
        struct transaction *transaction = session->transaction;

        if (session->is_trusted || !transaction->is_judged)
                return true;
        struct facts facts = stage_facts(session, &transaction->arena, &transaction->memo);
        return hooks_write_fields(&facts, &transaction->message.content, &session->host->content_pool);
}

static bool write_front(struct session *session)
{
        struct message *message = &session->transaction->message;
        char octets[FRONT_MAX];
        struct text front;

        if (!next_hop_is_asked(message))
                return true;
        text_over(&front, octets, sizeof octets);
        front_write_for_hop(&front, message);
        session->transaction->front_length = front.length;
        return content_append(&message->content, &session->host->content_pool, text_span(&front));
}

bool trace_write(struct session *session)
{
        struct transaction *transaction = session->transaction;
        char octets[2560];
        struct text field;

        text_over(&field, octets, sizeof octets);
        text_put_string(&field, "Received: from ");
        put_name(&field, session->helo);
        text_put_string(&field, " (");
        put_reverse_name(&field, session);
        text_put_char(&field, '[');
        address_write_literal(&field, &session->peer.client);
        text_put_string(&field, "])\r\n\tby ");
        text_put_string(&field, session->snapshot->options.hostname);
        text_put_string(&field, " (gatepost) with ");
        text_put_string(&field, protocol_name(session));
        put_tls(&field, session);
        text_put_string(&field, session_is_secured(session) ? "id " : " id ");
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
        if (!write_front(session) || !write_check_fields(session) || !filter_write_fields(session))
                return false;
        return content_append(&transaction->message.content, &session->host->content_pool, text_span(&field));
}
