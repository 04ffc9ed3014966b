/* Octets of message ids, and of what stands between them, many at once: what is found is what mime_id_octet() finds. */
#include "core/mail/mime/internal.h"

enum { BLANK = 1, LESS = 2, GREATER = 4, COMMA = 8, SEMICOLON = 16, EQUALS = 32, REST = 64 };

static const uint8_t classes[256] = {
    [' '] = BLANK,     ['\t'] = BLANK, ['<'] = LESS,  ['>'] = GREATER, [','] = COMMA,
    [';'] = SEMICOLON, ['='] = EQUALS, ['\r'] = REST, ['\n'] = REST,   ['\0'] = REST};

/* The octets at the front of these classes. */
static size_t pass_while(struct span octets, unsigned passes)
{
        size_t at = 0;
        while (at < octets.length && (classes[(unsigned char)octets.at[at]] & passes) != 0)
                at++;
        return at;
}

/* Keeps octets until one stops that, or there is no room for it. */
static size_t keep_until(struct mime_scan *scan, struct span octets, unsigned stops)
{
        size_t room = (size_t)(MIME_VALUE_MAX - scan->value_length);
        size_t at = mime_run(span_of(octets.at, octets.length < room ? octets.length : room), classes, stops);

        if (at > 0)
                memcpy(scan->value + scan->value_length, octets.at, at);
        scan->value_length = (uint16_t)(scan->value_length + at);
        return at;
}

/* "=?" behind a blank may begin a word, as may "=" of which nothing is known yet. */
static bool may_be_word(struct span octets)
{
        return octets.length < 2 || octets.at[1] == '?' || (classes[(unsigned char)octets.at[1]] & REST) != 0;
}

/* Keeps octets behind a bracket, and leaves blanks out. */
static size_t keep_bracket(struct mime_scan *scan, struct span octets)
{
        const struct mime_ids *ids = &scan->ids;
        unsigned stops = LESS | GREATER | REST | (ids->is_joined ? BLANK : 0) |
                         (ids->in == MIME_IDS_IN_FIELD ? 0 : SEMICOLON);
        bool is_behind_blank = ids->is_behind_blank;
        size_t at = 0, length = scan->value_length;

        for (; at < octets.length; at++) {
                unsigned class = classes[(unsigned char)octets.at[at]];
                if ((class & stops) != 0)
                        break;
                if ((class & BLANK) == 0) {
                        if (length == MIME_VALUE_MAX ||
                            ((class & EQUALS) != 0 && is_behind_blank && may_be_word(span_skip(octets, at))))
                                break;
                        scan->value[length++] = octets.at[at];
                }
                is_behind_blank = (class & BLANK) != 0;
        }
        scan->value_length = (uint16_t)length;
        return at;
}

/* Within an id of HTML: a tag that begins at the front, as far as it is there. */
static size_t inner_tag(struct mime_scan *scan, struct span octets)
{
        size_t at = mime_run(octets, classes, GREATER | REST);

        if (at == octets.length || octets.at[at] != '>')
                return at;
        scan->ids.state = MIME_IDS_BRACKET;
        return at + 1;
}

static size_t bracket_run(struct mime_scan *scan, struct span octets)
{
        size_t at = keep_bracket(scan, octets);

        if (scan->ids.in != MIME_IDS_IN_HTML || at == octets.length || octets.at[at] != '<')
                return at;
        scan->ids.state = MIME_IDS_INNER_TAG;
        return at + 1 + inner_tag(scan, span_skip(octets, at + 1));
}

static size_t run_of(struct mime_scan *scan, struct span octets)
{
        switch (scan->ids.state) {
        case MIME_IDS_BETWEEN:
                return pass_while(octets, BLANK | GREATER | COMMA | SEMICOLON);
        case MIME_IDS_JUNK:
                return mime_run(octets, classes, LESS | REST);
        case MIME_IDS_TOKEN:
                return keep_until(scan, octets, BLANK | LESS | GREATER | COMMA | SEMICOLON | REST);
        case MIME_IDS_BRACKET:
                return bracket_run(scan, octets);
        case MIME_IDS_TOO_LONG:
                return mime_run(octets, classes, LESS | GREATER | REST);
        case MIME_IDS_TAG:
                return keep_until(scan, octets, BLANK | GREATER | REST);
        case MIME_IDS_TAG_REST:
                return mime_run(octets, classes, GREATER | REST);
        case MIME_IDS_INNER_TAG:
                return inner_tag(scan, octets);
        }
        return 0;
}

size_t mime_id_run(struct mime_scan *scan, struct span octets)
{
        size_t length = run_of(scan, octets);

        if (length > 0)
                scan->ids.is_behind_blank = mime_is_blank(octets.at[length - 1]);
        return length;
}
