/* Lines that matter to nobody, passed by the hundred: there may be half a million of them in a message. What is found
 * is the same without this. Nothing here looks further back or ahead than to the ends of a line, and to each line
 * once, so that the cost goes by the octets. */
#include "core/mail/mime/internal.h"

/* At which octets something may be. */
enum { LABEL_END = 1, MENTION = 2, DASH = 4, ESCAPE = 8 };

static const uint8_t meanings[256] = {
    [':'] = LABEL_END, ['<'] = LABEL_END, ['='] = LABEL_END | ESCAPE, ['@'] = MENTION, ['-'] = DASH};

/* The first octet from `at` on at which something wanted may be; where there is none, the end. */
static size_t find(struct span input, size_t at, unsigned wanted)
{
        while (at < input.length && (meanings[(unsigned char)input.at[at]] & wanted) == 0)
                at++;
        return at;
}

static bool is_mention(const struct mime_scan *scan, struct span rest)
{
        char next = rest.length < 2 ? 'a' : rest.at[1];
        return mime_is_domain_octet(next) || next == '\0' || (next == '\r' && scan->is_decoded);
}

static bool matters(const struct mime_scan *scan, struct span input, size_t at)
{
        switch (input.at[at]) {
        case '-':
                return (at == 0 || input.at[at - 1] == '\n') &&
                       mime_may_be_delimiter(scan, span_skip(input, at));
        case '@':
                return is_mention(scan, span_skip(input, at));
        case '=':
                if (scan->is_decoded)
                        return true;
                break;
        default:
                break;
        }
        return mime_lines_is_label(span_of(input.at, at));
}

/* 0 when it depends on more than the octets what they mean. */
static bool find_wanted(const struct mime_scan *scan, unsigned *ret_wanted)
{
        unsigned wanted = scan->depth > 0 ? DASH : 0;

        if (scan->body == MIME_BODY_TEXT) {
                if (!mime_lines_are_fresh(scan) ||
                    (scan->is_decoded && !mime_is_literal(&scan->decoder, 'a')))
                        return false;
                wanted |= scan->lines.has_labels ? LABEL_END : 0;
                wanted |= mime_has_mentions(scan) ? MENTION : 0;
                wanted |= scan->is_decoded ? ESCAPE : 0;
        }
        *ret_wanted = wanted;
        return scan->body == MIME_BODY_TEXT || scan->body == MIME_BODY_SKIP;
}

static size_t line_start(struct span input)
{
        const char *lf = input.length == 0 ? NULL : memrchr(input.at, '\n', input.length);
        return lf == NULL ? 0 : (size_t)(lf - input.at) + 1;
}

/* What an encoding leaves out. */
static void skip_left_out(const struct mime_scan *scan, struct span *input)
{
        bool is_quoted = scan->decoder.encoding == MIME_ENCODING_QUOTED;
        struct span soft = is_quoted ? SPAN("=\r\n") : SPAN("\r\n");

        if (is_quoted && !mime_is_literal(&scan->decoder, 'a'))
                return;
        while (input->length >= soft.length && memcmp(input->at, soft.at, soft.length) == 0)
                *input = span_skip(*input, soft.length);
}

void mime_skip_dull_text(const struct mime_scan *scan, struct span *input)
{
        unsigned wanted;

        if (scan->body == MIME_BODY_TEXT && scan->is_decoded && scan->decoder.encoding != MIME_ENCODING_NONE)
                skip_left_out(scan, input);
        if (!find_wanted(scan, &wanted))
                return;
        size_t at = find(*input, 0, wanted);
        while (at < input->length && !matters(scan, *input, at))
                at = find(*input, at + 1, wanted);
        *input = span_skip(*input, line_start(span_of(input->at, at)));
}
