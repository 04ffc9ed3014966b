/* XCLIENT and XFORWARD: one line of attributes, of those that the hop has said it takes. */
#include "core/client/naming.h"

#include "core/client/internal.h"

#define LINE_MAX_OCTETS  510 /* RFC 5321 4.5.3.1.4, without CRLF */
#define VALUE_MAX_OCTETS 255 /* of one attribute, as Postfix takes it */
#define UNAVAILABLE      "[UNAVAILABLE]"

static const char *const names[NAMING_ATTRIBUTES] = {
    [NAMING_ADDR] = "ADDR", [NAMING_PORT] = "PORT",   [NAMING_PROTO] = "PROTO",
    [NAMING_HELO] = "HELO", [NAMING_IDENT] = "IDENT", [NAMING_NAME] = "NAME",
};

uint32_t naming_attributes(struct span words)
{
        uint32_t attributes = 0;

        while (words.length > 0) {
                struct span word = span_take_word(&words);
                for (unsigned i = 0; i < NAMING_ATTRIBUTES; i++)
                        if (span_equals_nocase(word, span_from(names[i])))
                                attributes |= 1u << i;
        }
        return attributes;
}

/* xtext (RFC 3461 4). What is printable ASCII, and neither '+' nor '=', stands for itself. */
static void put_xtext(struct text *text, struct span value)
{
        static const char digits[] = "0123456789ABCDEF";

        for (size_t i = 0; i < value.length; i++) {
                unsigned char octet = (unsigned char)value.at[i];
                if (octet > ' ' && octet < 0x7f && octet != '+' && octet != '=') {
                        text_put_char(text, (char)octet);
                        continue;
                }
                text_put_char(text, '+');
                text_put_char(text, digits[octet >> 4]);
                text_put_char(text, digits[octet & 15]);
        }
}

static void write_value(const struct hop_client *client, enum naming_attribute which, struct text *value)
{
        switch (which) {
        case NAMING_ADDR:
                address_write_literal(value, &client->address);
                break;
        case NAMING_PORT:
                if (client->port != 0)
                        text_put_number(value, client->port);
                break;
        case NAMING_PROTO:
                text_put_string(value, client->is_esmtp ? "ESMTP" : "SMTP");
                break;
        case NAMING_HELO:
                text_put(value, client->helo);
                break;
        case NAMING_IDENT:
                text_put(value, client->ident);
                break;
        case NAMING_NAME:
                text_put(value, client->name);
                break;
        case NAMING_ATTRIBUTES:
                break;
        }
        if (value->length == 0)
                text_put_string(value, UNAVAILABLE);
}

/* What has no room in the line is left out, and so is what would fill one alone: only names that are no machine's are
 * so long. */
static void put_attribute(struct text *line, const struct hop_client *client, enum naming_attribute which)
{
        char value_octets[VALUE_MAX_OCTETS], octets[LINE_MAX_OCTETS];
        struct text value, attribute;

        text_over(&value, value_octets, sizeof value_octets);
        text_over(&attribute, octets, sizeof octets);
        write_value(client, which, &value);
        text_put_char(&attribute, ' ');
        text_put_string(&attribute, names[which]);
        text_put_char(&attribute, '=');
        put_xtext(&attribute, text_span(&value));
        text_put(line, text_span(&attribute));
}

bool hop_name_client(struct hop *hop, const struct hop_client *client, struct text *out)
{
        bool is_xclient = hop->terms->naming == HOP_NAMES_BY_XCLIENT;
        char octets[LINE_MAX_OCTETS];
        struct text line;

        if (hop->terms->naming == HOP_NAMES_NOBODY || hop->attributes == 0 || !hop_is_ready(hop))
                return false;
        hop->is_ready = false;
        text_over(&line, octets, sizeof octets);
        text_put_string(&line, is_xclient ? "XCLIENT" : "XFORWARD");
        for (unsigned i = 0; i < NAMING_ATTRIBUTES; i++)
                if ((hop->attributes & 1u << i) != 0)
                        put_attribute(&line, client, (enum naming_attribute)i);
        text_put(out, text_span(&line));
        text_put_string(out, "\r\n");
        hop_owe(hop, is_xclient ? HOP_STATE_XCLIENT : HOP_STATE_XFORWARD);
        hop_set_deadline(hop);
        return true;
}

/* The session there begins anew, with other offers maybe. TLS stays. */
enum hop_event hop_xclient_answered(struct hop *hop, unsigned class, struct text *out)
{
        if (class == 2)
                hop_say_hello(hop, out);
        return HOP_WAITS;
}

enum hop_event hop_xforward_answered(struct hop *hop, unsigned class, struct text *out)
{
        (void)hop, (void)class, (void)out;
        return HOP_WAITS;
}
