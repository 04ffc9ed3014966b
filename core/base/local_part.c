/* Local parts: dot-string and quoted-string. */
#include "core/base/local_part.h"

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

bool local_part_parse(struct span span, bool utf8, struct text *ret_unquoted)
{
        char octets[LOCAL_PART_MAX];
        struct text unquoted;

        if (span.length == 0 || span.length > LOCAL_PART_MAX ||
            !(utf8 ? span_is_utf8(span) : span_is_ascii(span)))
                return false;
        text_over(&unquoted, octets, sizeof octets);
        if (span.at[0] != '"') {
                if (!dot_string_is_valid(span))
                        return false;
                text_put(&unquoted, span);
        } else if (span.length < 2 || span.at[span.length - 1] != '"' ||
                   !unquote(span_of(span.at + 1, span.length - 2), &unquoted)) {
                return false;
        }
        text_put(ret_unquoted, text_span(&unquoted));
        return true;
}
