/* Macro strings: one tokenizer for syntax and expansion, and a sink that keeps only the end of what is too
 * long. */
#include "core/check/spf/macro.h"

#include <stdio.h>

struct token {
        struct span literal; /* empty at == NULL: a macro */
        bool is_percent;     /* came from a '%' */
        char letter;         /* lower case */
        bool is_escaped;     /* upper case letter: URL escaping */
        bool is_reversed;
        unsigned keep; /* right-hand parts, 0: all */
        struct span delimiters;
};

/* What the expansion goes to. The first `skip` octets are left out, and what comes after `size` octets;
 * `total` counts all, so that a first pass tells the second what to skip. */
struct sink {
        char *at;
        size_t length, size, skip, total;
};

static void sink_put(struct sink *sink, char c)
{
        if (sink->total++ >= sink->skip && sink->length < sink->size)
                sink->at[sink->length++] = c;
}

static bool sink_is_full(const struct sink *sink)
{
        return sink->size > 0 && sink->length == sink->size;
}

/* The inside of "%{...}": macro-letter, transformers, delimiters. */
static bool macro_parse(struct span inside, struct token *ret_token)
{
        struct token token = {.is_percent = true};
        size_t at = 1;
        bool has_digits = false;

        if (inside.length == 0 || span_find(SPAN("slodiphvcrt"), ascii_lower(inside.at[0])) == SIZE_MAX)
                return false;
        token.letter = ascii_lower(inside.at[0]);
        token.is_escaped = token.letter != inside.at[0];
        for (; at < inside.length && ascii_is_digit(inside.at[at]); at++) {
                has_digits = true;
                if (token.keep < SPF_MACRO_VALUE_MAX)
                        token.keep = token.keep * 10 + (unsigned)(inside.at[at] - '0');
        }
        if (has_digits && token.keep == 0)
                return false;
        token.is_reversed = at < inside.length && ascii_lower(inside.at[at]) == 'r';
        token.delimiters = span_skip(inside, at + token.is_reversed);
        for (size_t i = 0; i < token.delimiters.length; i++)
                if (span_find(SPAN(".-+,/_="), token.delimiters.at[i]) == SIZE_MAX)
                        return false;
        *ret_token = token;
        return true;
}

static bool percent_parse(struct span *rest, struct token *ret_token)
{
        if (rest->length < 2)
                return false;
        if (rest->at[1] == '{') {
                size_t end = span_find(*rest, '}');
                if (end == SIZE_MAX || !macro_parse(span_of(rest->at + 2, end - 2), ret_token))
                        return false;
                *rest = span_skip(*rest, end + 1);
                return true;
        }
        *ret_token = (struct token){.is_percent = true};
        if (rest->at[1] == '%')
                ret_token->literal = SPAN("%");
        else if (rest->at[1] == '_')
                ret_token->literal = SPAN(" ");
        else if (rest->at[1] == '-')
                ret_token->literal = SPAN("%20");
        else
                return false;
        *rest = span_skip(*rest, 2);
        return true;
}

/* The next token of a non-empty string; false when it is ill-formed. */
static bool token_next(struct span *rest, struct token *ret_token)
{
        if (rest->at[0] == '%')
                return percent_parse(rest, ret_token);
        size_t length = span_find(*rest, '%');
        if (length == SIZE_MAX)
                length = rest->length;
        *ret_token = (struct token){.literal = span_of(rest->at, length)};
        *rest = span_skip(*rest, length);
        return true;
}

static bool literal_is_valid(struct span literal, bool is_explanation)
{
        for (size_t i = 0; i < literal.length; i++)
                if (literal.at[i] < (is_explanation ? 0x20 : 0x21) || literal.at[i] > 0x7e)
                        return false;
        return true;
}

/* Also gives the last token, for what must follow from it. */
static bool string_is_valid(struct span string, bool is_explanation, unsigned macros_max,
                            struct token *ret_last)
{
        unsigned macros = 0;

        while (string.length > 0) {
                if (!token_next(&string, ret_last))
                        return false;
                if (ret_last->is_percent) {
                        if (++macros > macros_max)
                                return false;
                        if (!is_explanation && ret_last->letter != 0 &&
                            strchr("crt", ret_last->letter) != NULL)
                                return false;
                } else if (!literal_is_valid(ret_last->literal, is_explanation))
                        return false;
        }
        return true;
}

bool spf_macro_is_valid(struct span string, bool is_explanation, unsigned macros_max)
{
        struct token last;
        return string_is_valid(string, is_explanation, macros_max, &last);
}

/* toplabel of 7.1: letters, digits and inner hyphens, not all digits */
static bool top_label_is_valid(struct span label)
{
        bool has_other = false;

        if (label.length == 0 || label.at[0] == '-' || label.at[label.length - 1] == '-')
                return false;
        for (size_t i = 0; i < label.length; i++) {
                if (!ascii_is_alnum(label.at[i]) && label.at[i] != '-')
                        return false;
                has_other |= !ascii_is_digit(label.at[i]);
        }
        return has_other;
}

bool spf_domain_spec_is_valid(struct span string, unsigned macros_max)
{
        struct token last = {0};

        if (string.length == 0 || !string_is_valid(string, false, macros_max, &last))
                return false;
        if (last.is_percent)
                return true;
        if (last.literal.length > 0 && last.literal.at[last.literal.length - 1] == '.')
                last.literal.length--;
        size_t dot = span_find_last(last.literal, '.');
        return dot != SIZE_MAX && top_label_is_valid(span_skip(last.literal, dot + 1));
}

bool spf_macro_uses(struct span string, char letter)
{
        struct token token;

        while (string.length > 0 && token_next(&string, &token))
                if (token.letter == letter)
                        return true;
        return false;
}

void spf_macro_put_client(struct text *text, const struct address *client)
{
        if (address_is_ipv4(client)) {
                address_write(text, client);
                return;
        }
        for (size_t i = 0; i < 32; i++) {
                if (i > 0)
                        text_put_char(text, '.');
                text_put_char(text, "0123456789ABCDEF"[client->octets[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15]);
        }
}

/* `made` has room for what is not there already. */
static struct span letter_value(char letter, const struct spf_macro_values *values, struct text *made)
{
        switch (letter) {
        case 'l':
                return values->local;
        case 'o':
                return values->sender_domain;
        case 'd':
                return values->domain;
        case 'h':
                return values->helo;
        case 'p':
                return values->validated;
        case 'r':
                return values->receiver;
        case 'v':
                return address_is_ipv4(&values->client) ? SPAN("in-addr") : SPAN("ip6");
        case 's':
                text_put(made, values->local);
                text_put_char(made, '@');
                text_put(made, values->sender_domain);
                break;
        case 'i':
                spf_macro_put_client(made, &values->client);
                break;
        case 'c':
                address_write(made, &values->client);
                break;
        default: /* t */
                text_put_number(made, values->now_s > 0 ? (uint64_t)values->now_s : 0);
                break;
        }
        return text_span(made);
}

static void put_part(struct sink *sink, struct span part, bool is_escaped)
{
        for (size_t i = 0; i < part.length; i++) {
                char c = part.at[i];
                if (!is_escaped || ascii_is_alnum(c) || (c != '\0' && strchr("-._~", c) != NULL)) {
                        sink_put(sink, c);
                        continue;
                }
                sink_put(sink, '%'); /* RFC 3986 2.1 */
                sink_put(sink, "0123456789ABCDEF"[(unsigned char)c >> 4]);
                sink_put(sink, "0123456789ABCDEF"[c & 15]);
        }
}

/* Split at the delimiters, reversed, cut to the right-hand parts, joined by dots (7.3). */
static void put_macro(struct sink *sink, const struct token *token, const struct spf_macro_values *values)
{
        char octets[2 * SPF_MACRO_VALUE_MAX + 1];
        struct span parts[sizeof octets + 1]; /* when the value is nothing but delimiters */
        size_t count = 0;
        struct text made;

        text_over(&made, octets, sizeof octets);
        struct span value = letter_value(token->letter, values, &made);
        struct span delimiters = token->delimiters.length > 0 ? token->delimiters : SPAN(".");
        size_t start = 0;
        for (size_t i = 0; i <= value.length; i++) {
                if (i < value.length && span_find(delimiters, value.at[i]) == SIZE_MAX)
                        continue;
                parts[count++] = span_of(value.at + start, i - start);
                start = i + 1;
        }
        size_t first = token->keep > 0 && token->keep < count ? count - token->keep : 0;
        for (size_t i = first; i < count; i++) {
                if (i > first)
                        sink_put(sink, '.');
                put_part(sink, parts[token->is_reversed ? count - 1 - i : i], token->is_escaped);
        }
}

static void expand(struct span string, const struct spf_macro_values *values, struct sink *sink)
{
        struct token token;

        while (string.length > 0 && !sink_is_full(sink) && token_next(&string, &token)) {
                if (token.letter != 0)
                        put_macro(sink, &token, values);
                else
                        put_part(sink, token.literal, false);
        }
}

void spf_macro_expand(struct span string, const struct spf_macro_values *values, struct text *text)
{
        struct sink sink = {.at = text->at + text->length, .size = text_room(text)};
        if (sink.size > 0)
                expand(string, values, &sink);
        text->length += sink.length;
}

struct span spf_macro_expand_name(struct span string, const struct spf_macro_values *values,
                                  char buffer[SPF_NAME_MAX + 2])
{
        /* One octet more than a name's: it tells whether a label begins there. One more for the final dot. */
        struct sink sink = {.at = buffer}, measure = {0};

        expand(string, values, &measure);
        sink.size = SPF_NAME_MAX + 2;
        if (measure.total > sink.size)
                sink.skip = measure.total - sink.size;
        expand(string, values, &sink);
        struct span name = span_of(buffer, sink.length);
        bool is_cut = sink.skip > 0;
        if (name.length > 0 && name.at[name.length - 1] == '.')
                name.length--;
        while (is_cut || name.length > SPF_NAME_MAX) {
                size_t dot = span_find(name, '.');
                if (dot == SIZE_MAX)
                        return span_of(buffer, 0); /* no label fits: a name that cannot be asked for */
                name = span_skip(name, dot + 1);
                is_cut = false;
        }
        return name;
}
