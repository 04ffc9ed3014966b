/* XCLIENT (Postfix, XCLIENT_README): a proxy network names the client it speaks for. The session starts again
 * as that one. */
#include "core/base/domain_name.h"
#include "core/smtp/internal.h"

/* What one command has named so far. */
struct xclient {
        struct address client, server;
        uint16_t client_port, server_port;
        char helo_octets[DOMAIN_NAME_MAX];
        struct text helo;
        bool is_esmtp;
};

/* xtext (RFC 3461 4): "+2B" is '+'. False on bad hexadecimal digits, control characters, or too long a
 * value. */
static bool xtext_decode(struct span value, struct text *text)
{
        for (size_t i = 0; i < value.length; i++) {
                char c = value.at[i];
                if (c == '+') {
                        uint8_t octet;
                        if (i + 2 >= value.length || !span_hex(span_of(value.at + i + 1, 2), &octet, 1))
                                return false;
                        c = (char)octet;
                        i += 2;
                }
                if (ascii_is_control(c))
                        return false;
                text_put_char(text, c);
        }
        return !text->overflowed;
}

static bool address_attribute(struct span value, struct address *ret_address)
{
        if (span_starts_nocase(value, SPAN("IPV6:")))
                value = span_skip(value, 5);
        return address_parse(value, ret_address);
}

static bool port_attribute(struct span value, uint16_t *ret_port)
{
        uint64_t port;
        if (!span_number(value, &port) || port > UINT16_MAX)
                return false;
        *ret_port = (uint16_t)port;
        return true;
}

static bool protocol_attribute(struct span value, bool *ret_is_esmtp)
{
        *ret_is_esmtp = span_equals_nocase(value, SPAN("ESMTP"));
        return *ret_is_esmtp || span_equals_nocase(value, SPAN("SMTP"));
}

static bool attribute(struct xclient *xclient, struct span name, struct span value)
{
        char octets[DOMAIN_NAME_MAX];
        struct text decoded;
        bool is_unknown;

        text_over(&decoded, octets, sizeof octets);
        if (!xtext_decode(value, &decoded))
                return false;
        value = text_span(&decoded);
        is_unknown = span_equals_nocase(value, SPAN("[UNAVAILABLE]")) ||
                     span_equals_nocase(value, SPAN("[TEMPUNAVAIL]"));
        if (span_equals_nocase(name, SPAN("NAME")) || span_equals_nocase(name, SPAN("LOGIN")))
                return true; /* read, and of no consequence here */
        if (span_equals_nocase(name, SPAN("ADDR")))
                return is_unknown || address_attribute(value, &xclient->client);
        if (span_equals_nocase(name, SPAN("PORT")))
                return is_unknown || port_attribute(value, &xclient->client_port);
        if (span_equals_nocase(name, SPAN("DESTADDR")))
                return is_unknown || address_attribute(value, &xclient->server);
        if (span_equals_nocase(name, SPAN("DESTPORT")))
                return is_unknown || port_attribute(value, &xclient->server_port);
        if (span_equals_nocase(name, SPAN("PROTO")))
                return is_unknown || protocol_attribute(value, &xclient->is_esmtp);
        if (!span_equals_nocase(name, SPAN("HELO")))
                return false;
        xclient->helo.length = 0;
        if (!is_unknown)
                text_put(&xclient->helo, value);
        return true;
}

static bool attributes(struct xclient *xclient, struct span arguments)
{
        struct parameter parameter;
        enum parameter_result result;
        char octets[512];
        struct text padded;

        /* The parameters of MAIL are preceded by a blank each. */
        text_over(&padded, octets, sizeof octets);
        text_put_char(&padded, ' ');
        text_put(&padded, arguments);
        struct span rest = text_span(&padded);
        if (arguments.length == 0 || padded.overflowed)
                return false;
        while ((result = parameter_next(&rest, &parameter)) == PARAMETER_FOUND)
                if (parameter.value.at == NULL || !attribute(xclient, parameter.keyword, parameter.value))
                        return false;
        return result == PARAMETER_END;
}

enum session_wish command_xclient(struct session *session, struct span arguments, struct text *out)
{
        struct xclient xclient = {
            .client = session->peer.client,
            .client_port = session->peer.client_port,
            .server = session->peer.server,
            .server_port = session->peer.server_port,
            .is_esmtp = session->is_esmtp,
        };
        enum session_wish wish;

        text_over(&xclient.helo, xclient.helo_octets, sizeof xclient.helo_octets);
        if (session->naming != NAMING_OPEN) {
                session_reply(session, out, REPLY_xclient_not_trusted);
                return SESSION_READ;
        }
        if (session->transaction != NULL) {
                session_reply(session, out, REPLY_mail_already);
                return SESSION_READ;
        }
        if (!attributes(&xclient, arguments)) {
                session_reply(session, out, REPLY_parameter_bad);
                return SESSION_READ;
        }
        session_name_client(session, &xclient.client, xclient.client_port);
        session->peer.server = xclient.server;
        session->peer.server_port = xclient.server_port;
        session->is_esmtp = xclient.is_esmtp;
        if (named_client_is_refused(session, out, &wish))
                return wish;
        stage_connect(session);
        if (xclient.helo.length > 0 && session->tape != NULL)
                tape_helo(session, text_span(&xclient.helo));
        if (xclient.helo.length > 0 && !helo_set(session, text_span(&xclient.helo))) {
                session_reply(session, out, REPLY_out_of_memory);
                return SESSION_READ;
        }
        session_reply(session, out, REPLY_xclient_ok);
        return SESSION_READ;
}
