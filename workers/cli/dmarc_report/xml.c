/* What is not printable is none of XML's; what XML would obey is escaped. */
#include "workers/cli/dmarc_report/xml.h"

#include "core/policy/html_escape.h"

#define PIECE 256 /* octets made printable at a time */

static void put_escaped(struct text *out, struct span printable)
{
        for (size_t i = 0; i < printable.length; i++) {
                const char *escape = html_escape(printable.at[i]);
                if (escape != NULL)
                        text_put_string(out, escape);
                else
                        text_put_char(out, printable.at[i]);
        }
}

/* Never within a character. */
static size_t piece_length(struct span words)
{
        size_t length = words.length < PIECE ? words.length : PIECE;

        while (length < words.length && length > PIECE - 4 && (words.at[length] & 0xc0) == 0x80)
                length--;
        return length;
}

void xml_put(struct text *out, struct span words, bool utf8)
{
        while (words.length > 0) {
                char octets[PIECE];
                struct text printable;
                size_t length = piece_length(words);
                text_over(&printable, octets, sizeof octets);
                text_put_printable(&printable, span_of(words.at, length), utf8);
                put_escaped(out, text_span(&printable));
                words = span_skip(words, length);
        }
}
