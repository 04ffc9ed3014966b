/* Values of Content-Type, Content-Transfer-Encoding and Auto-Submitted: tokens, quoted strings, comments (RFC
 * 2045 5.1, RFC 5322 3.2), parameters in parts (RFC 2231). */
#include "core/mail/mime/internal.h"

enum { BLANK = 1, ENDS_TOKEN = 2, ENDS_PLAIN = 4 };

static const uint8_t classes[256] = {
    [' '] = BLANK | ENDS_TOKEN | ENDS_PLAIN,
    ['\t'] = BLANK | ENDS_TOKEN | ENDS_PLAIN,
    [';'] = ENDS_TOKEN | ENDS_PLAIN,
    ['('] = ENDS_TOKEN,
    [')'] = ENDS_TOKEN,
    ['/'] = ENDS_TOKEN,
    ['='] = ENDS_TOKEN,
    ['"'] = ENDS_TOKEN,
    [','] = ENDS_TOKEN,
};

/* The octets at the front of other classes, which are cut off. */
static struct span take_until(struct span *rest, unsigned ends)
{
        struct span taken = span_of(rest->at, mime_run(*rest, classes, ends));
        *rest = span_of(rest->at + taken.length, rest->length - taken.length);
        return taken;
}

static void skip_comments(struct span *rest)
{
        size_t at = 0, depth = 0;

        for (; at < rest->length; at++) {
                char c = rest->at[at];
                if (c == '(')
                        depth++;
                else if (c == ')' && depth > 0)
                        depth--;
                else if (c == '\\' && depth > 0)
                        at++;
                else if (depth == 0 && (classes[(unsigned char)c] & BLANK) == 0)
                        break;
        }
        *rest = span_skip(*rest, at);
}

/* Skips blanks and comments, of which there mostly are none. */
static inline void skip_blanks(struct span *rest)
{
        if (rest->length > 0 && (rest->at[0] == '(' || mime_is_blank(rest->at[0])))
                skip_comments(rest);
}

/* Lenient: all but blanks and what separates. */
static struct span take_token(struct span *rest)
{
        return take_until(rest, ENDS_TOKEN);
}

static bool take_char(struct span *rest, char c)
{
        skip_blanks(rest);
        if (rest->length == 0 || rest->at[0] != c)
                return false;
        *rest = span_skip(*rest, 1);
        return true;
}

/* Behind the opening quote. */
static void take_quoted(struct span *rest, struct text *value)
{
        size_t at = 0;
        for (; at < rest->length && rest->at[at] != '"'; at++) {
                if (rest->at[at] == '\\' && at + 1 < rest->length)
                        at++;
                text_put_char(value, rest->at[at]);
        }
        *rest = span_skip(*rest, at + 1);
}

/* Many a boundary that should be quoted is not: to the next semicolon or blank. */
static void take_plain(struct span *rest, struct text *value)
{
        text_put(value, take_until(rest, ENDS_PLAIN));
}

/* Comments in front are not looked for: a boundary may begin like one. */
static void take_value(struct span *rest, struct text *value)
{
        while (rest->length > 0 && mime_is_blank(rest->at[0]))
                *rest = span_skip(*rest, 1);
        if (rest->length > 0 && rest->at[0] == '"') {
                *rest = span_skip(*rest, 1);
                take_quoted(rest, value);
        } else {
                take_plain(rest, value);
        }
}

/* ---- parameters */

struct parameter {
        struct span name; /* without its RFC 2231 suffix */
        uint64_t part;    /* 0: the first, or the only one */
        bool is_extended; /* its value has %XX, and a charset in front when it is the first part */
};

static struct parameter parameter_of(struct span name)
{
        struct parameter parameter = {.name = name};
        size_t star = span_find(name, '*');

        if (star == SIZE_MAX)
                return parameter;
        struct span suffix = span_skip(name, star + 1);
        parameter.name.length = star;
        parameter.is_extended = suffix.length == 0 || suffix.at[suffix.length - 1] == '*';
        if (suffix.length > 0 && parameter.is_extended)
                suffix.length--;
        if (suffix.length > 0 && !span_number(suffix, &parameter.part))
                parameter.name.length = 0;
        return parameter;
}

static int hex_pair(struct span at)
{
        int value = 0;
        for (size_t i = 0; i < 2; i++) {
                int digit = i < at.length ? mime_hex_value(at.at[i]) : -1;
                if (digit < 0)
                        return -1;
                value = value * 16 + digit;
        }
        return value;
}

static void put_extended(struct text *text, struct span value, bool is_first)
{
        for (int quotes = 0; is_first && quotes < 2; quotes++) {
                size_t quote = span_find(value, '\'');
                value = span_skip(value, quote == SIZE_MAX ? 0 : quote + 1);
        }
        for (size_t at = 0; at < value.length; at++) {
                int octet = value.at[at] == '%' ? hex_pair(span_skip(value, at + 1)) : -1;
                text_put_char(text, octet >= 0 ? (char)octet : value.at[at]);
                at += octet >= 0 ? 2 : 0;
        }
}

/* The boundary as far as it has been put together. */
struct joint {
        uint64_t parts;
        struct text value;
};

static void join(struct joint *joint, const struct parameter *parameter, struct span value)
{
        if (parameter->part != joint->parts)
                return;
        joint->parts++;
        if (parameter->is_extended)
                put_extended(&joint->value, value, parameter->part == 0);
        else
                text_put(&joint->value, value);
}

static enum mime_kind report_kind(struct span type)
{
        if (span_equals_nocase(type, SPAN("delivery-status")) ||
            span_equals_nocase(type, SPAN("global-delivery-status")))
                return MIME_KIND_DELIVERY_REPORT;
        if (span_equals_nocase(type, SPAN("disposition-notification")))
                return MIME_KIND_READ_RECEIPT;
        return MIME_KIND_MAIL;
}

static void read_parameters(struct span rest, struct mime_entity *entity)
{
        char octets[MIME_VALUE_MAX];
        struct joint boundary = {0};

        text_over(&boundary.value, entity->boundary.octets, sizeof entity->boundary.octets);
        while (rest.length > 0) {
                struct text value;
                text_over(&value, octets, sizeof octets);
                if (!take_char(&rest, ';')) { /* what is there makes no sense */
                        rest = span_skip(rest, 1);
                        continue;
                }
                skip_blanks(&rest);
                if (rest.length > 0 && rest.at[0] == ';')
                        continue;
                struct parameter parameter = parameter_of(take_token(&rest));
                if (!take_char(&rest, '='))
                        continue;
                take_value(&rest, &value);
                if (span_equals_nocase(parameter.name, SPAN("boundary")))
                        join(&boundary, &parameter, text_span(&value));
                else if (span_equals_nocase(parameter.name, SPAN("report-type")))
                        entity->report = report_kind(span_trim(text_span(&value)));
        }
        struct text *whole = &boundary.value;
        while (whole->length > 0 && whole->at[whole->length - 1] == ' ')
                whole->length--; /* RFC 2046 5.1.1: none ends with a blank */
        entity->boundary.length = whole->overflowed ? 0 : (uint16_t)whole->length;
}

/* ---- types */

struct type_row {
        struct span name;
        enum mime_type type;
};

/* Of message/ and text/. */
static const struct type_row message_types[] = {
    {{"rfc822", 6}, MIME_TYPE_RETURNED},
    {{"global", 6}, MIME_TYPE_RETURNED},
    {{"rfc822-headers", 14}, MIME_TYPE_RETURNED},
    {{"rfc822-header", 13}, MIME_TYPE_RETURNED}, /* some write it so */
    {{"global-headers", 14}, MIME_TYPE_RETURNED},
    {{"delivery-status", 15}, MIME_TYPE_STATUS},
    {{"global-delivery-status", 22}, MIME_TYPE_STATUS},
    {{"disposition-notification", 24}, MIME_TYPE_DISPOSITION},
    {{"global-disposition-notification", 31}, MIME_TYPE_DISPOSITION},
    {{"html", 4}, MIME_TYPE_HTML},
};

/* Of application/: what may have text in it. */
static const struct type_row application_types[] = {
    {{"octet-stream", 12}, MIME_TYPE_TEXT},
    {{"ms-tnef", 7}, MIME_TYPE_TEXT},
    {{"pkcs7-mime", 10}, MIME_TYPE_TEXT}, /* RFC 8551: signed, with what was signed in it */
    {{"x-pkcs7-mime", 12}, MIME_TYPE_TEXT},
};

#define TYPE_IN(rows, name, otherwise) type_in(rows, sizeof(rows) / sizeof(rows)[0], name, otherwise)

static enum mime_type type_in(const struct type_row *rows, size_t count, struct span name,
                              enum mime_type otherwise)
{
        for (size_t i = 0; i < count; i++)
                if (span_equals_nocase(name, rows[i].name))
                        return rows[i].type;
        return otherwise;
}

static enum mime_type type_of(struct span type, struct span subtype)
{
        static const struct type_row types[] = {
            {{"multipart", 9}, MIME_TYPE_MULTIPART}, {{"image", 5}, MIME_TYPE_BINARY},
            {{"audio", 5}, MIME_TYPE_BINARY},        {{"video", 5}, MIME_TYPE_BINARY},
            {{"font", 4}, MIME_TYPE_BINARY},         {{"model", 5}, MIME_TYPE_BINARY},
        };

        if (span_equals_nocase(type, SPAN("message")))
                return TYPE_IN(message_types, subtype, MIME_TYPE_TEXT);
        if (span_equals_nocase(type, SPAN("application")))
                return TYPE_IN(application_types, subtype, MIME_TYPE_BINARY);
        if (!span_equals_nocase(type, SPAN("text")))
                return TYPE_IN(types, type, MIME_TYPE_TEXT);
        enum mime_type found = TYPE_IN(message_types, subtype, MIME_TYPE_TEXT);
        return found == MIME_TYPE_RETURNED || found == MIME_TYPE_HTML ? found : MIME_TYPE_TEXT;
}

void mime_read_type(struct span value, struct mime_entity *entity)
{
        skip_blanks(&value);
        struct span type = take_token(&value);
        bool has_subtype = take_char(&value, '/');
        skip_blanks(&value);
        struct span subtype = has_subtype ? take_token(&value) : SPAN("");

        entity->has_type = true;
        entity->type = type_of(type, subtype);
        entity->report = MIME_KIND_MAIL;
        if (entity->type != MIME_TYPE_MULTIPART)
                return;
        if (span_equals_nocase(subtype, SPAN("report")))
                entity->report = MIME_KIND_UNKNOWN;
        read_parameters(value, entity);
        if (!span_equals_nocase(subtype, SPAN("report")))
                entity->report = MIME_KIND_MAIL;
}

void mime_read_encoding(struct span value, struct mime_entity *entity)
{
        skip_blanks(&value);
        struct span encoding = take_token(&value);

        entity->encoding = span_equals_nocase(encoding, SPAN("base64"))             ? MIME_ENCODING_BASE64
                           : span_equals_nocase(encoding, SPAN("quoted-printable")) ? MIME_ENCODING_QUOTED
                                                                                    : MIME_ENCODING_NONE;
}

bool mime_is_auto_replied(struct span value)
{
        skip_blanks(&value);
        return span_equals_nocase(take_token(&value), SPAN("auto-replied"));
}
