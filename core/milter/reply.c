/* Reads replies of a filter's making. */
#include "core/milter/reply.h"

#include "conf/replies.h"
#include "core/milter/lines.h"

#define CODE_LENGTH 3

struct line {
        uint16_t code;
        bool is_last;
        struct span enhanced; /* empty: none */
        struct span text;
};

static bool read_line(struct span octets, struct line *ret_line)
{
        if (octets.length <= CODE_LENGTH || (octets.at[0] != '4' && octets.at[0] != '5') ||
            !ascii_is_digit(octets.at[1]) || !ascii_is_digit(octets.at[2]) ||
            (octets.at[CODE_LENGTH] != ' ' && octets.at[CODE_LENGTH] != '-') ||
            span_find(octets, '\r') != SIZE_MAX)
                return false;
        struct span text = span_skip(octets, CODE_LENGTH + 1);
        size_t length = enhanced_code_length(text);
        *ret_line = (struct line){
            .code = (uint16_t)((octets.at[0] - '0') * 100 + (octets.at[1] - '0') * 10 + (octets.at[2] - '0')),
            .is_last = octets.at[CODE_LENGTH] == ' ',
            .enhanced = span_of(text.at, length),
            .text = span_trim(span_skip(text, length)),
        };
        return length == 0 || text.at[0] == octets.at[0];
}

/* "%%" is a percent sign, and a single one is none. */
static void put_words(struct text *text, struct span words)
{
        if (text->length > 0 && words.length > 0)
                text_put_char(text, ' ');
        while (words.length > 0) {
                size_t plain = span_find(words, '%');
                plain = plain == SIZE_MAX ? words.length : plain;
                text_put_printable(text, span_of(words.at, plain), true);
                words = span_skip(words, plain);
                if (words.length > 1 && words.at[1] == '%')
                        text_put_char(text, '%');
                words = span_skip(words, words.length > 1 && words.at[1] == '%' ? 2 : 1);
        }
}

bool milter_reply_read(struct span words, struct milter_reply *ret_reply)
{
        struct milter_reply reply = {0};
        struct text text;
        struct line line = {0};

        text_over(&text, reply.text, sizeof reply.text - 1);
        do {
                if (!read_line(milter_take_line(&words), &line) ||
                    (reply.code != 0 && line.code != reply.code))
                        return false;
                if (reply.code == 0 && line.enhanced.length > 0)
                        span_copy_cut(line.enhanced, reply.enhanced, sizeof reply.enhanced);
                reply.code = line.code;
                put_words(&text, line.text);
                if (line.is_last != (words.length == 0))
                        return false;
        } while (!line.is_last);
        if (reply.enhanced[0] == '\0')
                span_copy_cut(reply.code < 500 ? SPAN("4.7.1") : SPAN("5.7.1"), reply.enhanced,
                              sizeof reply.enhanced);
        *ret_reply = reply;
        return true;
}
