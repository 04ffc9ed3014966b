/* Local parts: dot-string and quoted-string; Unicode by libunistring. */
#include "core/base/local_part.h"

#include <stdlib.h>
#include <unicase.h>
#include <uninorm.h>

static bool octet_is_atext(char c)
{
        return ascii_is_atext(c) || (unsigned char)c >= 0x80;
}

/* Dot-string: atoms with single dots between them. */
static bool dot_string_is_valid(struct span span)
{
        bool dot_may_follow = false;
        for (size_t i = 0; i < span.length; i++) {
                if (span.at[i] == '.' ? !dot_may_follow : !octet_is_atext(span.at[i]))
                        return false;
                dot_may_follow = span.at[i] != '.';
        }
        return dot_may_follow;
}

/* Dots wherever they like, but not they alone. */
static bool loose_dot_string_is_valid(struct span span)
{
        bool has_other = false;
        for (size_t i = 0; i < span.length; i++) {
                if (span.at[i] != '.' && !octet_is_atext(span.at[i]))
                        return false;
                has_other |= span.at[i] != '.';
        }
        return has_other;
}

/* `inside`: what stands between the quotes. A quoted pair hides any printable ASCII, and nothing else. */
static bool unquote(struct span inside, struct text *unquoted)
{
        for (size_t i = 0; i < inside.length; i++) {
                if (inside.at[i] == '"' || ascii_is_control(inside.at[i]))
                        return false;
                if (inside.at[i] == '\\' && (++i == inside.length || ascii_is_control(inside.at[i]) ||
                                             (unsigned char)inside.at[i] >= 0x80))
                        return false;
                text_put_char(unquoted, inside.at[i]);
        }
        return true;
}

static bool parse(struct span span, bool utf8, bool (*is_dot_string)(struct span), struct text *ret_unquoted)
{
        char octets[LOCAL_PART_MAX];
        struct text unquoted;

        if (span.length == 0 || span.length > LOCAL_PART_MAX ||
            !(utf8 ? span_is_utf8(span) : span_is_ascii(span)))
                return false;
        text_over(&unquoted, octets, sizeof octets);
        if (span.at[0] != '"') {
                if (!is_dot_string(span))
                        return false;
                text_put(&unquoted, span);
        } else if (span.length < 2 || span.at[span.length - 1] != '"' ||
                   !unquote(span_of(span.at + 1, span.length - 2), &unquoted)) {
                return false;
        }
        text_put(ret_unquoted, text_span(&unquoted));
        return true;
}

bool local_part_parse(struct span span, bool utf8, struct text *ret_unquoted)
{
        return parse(span, utf8, dot_string_is_valid, ret_unquoted);
}

bool local_part_parse_loose(struct span span, bool utf8, struct text *ret_unquoted)
{
        return parse(span, utf8, loose_dot_string_is_valid, ret_unquoted);
}

/* What the library makes of it comes from malloc. */
static bool put_unicode(struct span local_part, bool fold, struct text *text)
{
        const uint8_t *octets = (const uint8_t *)local_part.at;
        size_t length = 0;
        uint8_t *form = fold ? u8_casefold(octets, local_part.length, NULL, UNINORM_NFC, NULL, &length)
                             : u8_normalize(UNINORM_NFC, octets, local_part.length, NULL, &length);
        bool is_put = form != NULL && length <= text_room(text);

        if (is_put)
                text_put(text, span_of((const char *)form, length));
        free(form);
        return is_put;
}

bool local_part_normalise(struct span local_part, bool fold, struct text *text)
{
        if (!span_is_ascii(local_part))
                return put_unicode(local_part, fold, text);
        if (local_part.length > text_room(text))
                return false;
        if (fold)
                text_put_lower(text, local_part);
        else
                text_put(text, local_part);
        return true;
}

void local_part_write(struct span unquoted, struct text *text)
{
        if (dot_string_is_valid(unquoted)) {
                text_put(text, unquoted);
                return;
        }
        text_put_char(text, '"');
        for (size_t i = 0; i < unquoted.length; i++) {
                if (unquoted.at[i] == '"' || unquoted.at[i] == '\\')
                        text_put_char(text, '\\');
                text_put_char(text, unquoted.at[i]);
        }
        text_put_char(text, '"');
}
