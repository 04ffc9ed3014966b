/* Reads replies: one form of line is taken, and whoever sends another is not understood any more. */
#include "core/client/reply.h"

#include "conf/replies.h"

#define CODE_LENGTH 3

/* The line at the front without its CRLF; false with the fault, or NULL where it has not ended yet. A line that
 * never ends has one after HOP_LINE_MAX octets. */
static bool take_line(struct span *input, struct span *ret_line, const char **ret_fault)
{
        size_t most = input->length < HOP_LINE_MAX ? input->length : HOP_LINE_MAX;
        size_t end = span_find(span_of(input->at, most), '\n');

        *ret_fault = NULL;
        if (end == SIZE_MAX && most < HOP_LINE_MAX)
                return false;
        struct span line = span_of(input->at, end == SIZE_MAX ? most : end);
        if (end == SIZE_MAX)
                *ret_fault = "a line of its reply is too long";
        else if (line.length == 0 || line.at[line.length - 1] != '\r')
                *ret_fault = "bare LF in its reply";
        else if (span_find(line, '\r') != line.length - 1)
                *ret_fault = "bare CR in its reply";
        else if (span_find(line, '\0') != SIZE_MAX)
                *ret_fault = "NUL in its reply";
        if (*ret_fault != NULL)
                return false;
        *ret_line = span_of(line.at, line.length - 1);
        *input = span_skip(*input, end + 1);
        return true;
}

/* The code at the front of a line (RFC 5321 4.2), 0 if there is none. */
static uint16_t code_of(struct span line)
{
        if (line.length < CODE_LENGTH || line.at[0] < '2' || line.at[0] > '5' ||
            !ascii_is_digit(line.at[1]) || !ascii_is_digit(line.at[2]) ||
            (line.length > CODE_LENGTH && line.at[CODE_LENGTH] != ' ' && line.at[CODE_LENGTH] != '-'))
                return 0;
        return (uint16_t)((line.at[0] - '0') * 100 + (line.at[1] - '0') * 10 + (line.at[2] - '0'));
}

static void append(struct hop_answer *answer, struct span text, bool utf8)
{
        size_t length = strlen(answer->text);
        struct text joined;

        text_over(&joined, answer->text + length, sizeof answer->text - 1 - length);
        if (length > 0 && text.length > 0)
                text_put_char(&joined, ' ');
        text_put_printable(&joined, text, utf8);
        joined.at[joined.length] = '\0';
}

/* Each line of a reply may begin with the same one (RFC 2034 4). */
static struct span take_enhanced(struct hop_answer *answer, struct span text, bool is_first)
{
        size_t length = enhanced_code_length(text);

        if (length == 0 || text.at[0] - '0' != answer->code / 100)
                return text;
        if (is_first)
                span_copy_cut(span_of(text.at, length), answer->enhanced, sizeof answer->enhanced);
        return span_equals(span_of(text.at, length), span_from(answer->enhanced))
                   ? span_trim(span_skip(text, length))
                   : text;
}

static void begin(struct hop_answer *answer, uint16_t code)
{
        *answer = (struct hop_answer){.state = answer->state, .code = code, .enhanced = "0.0.0"};
        answer->enhanced[0] = (char)('0' + code / 100);
}

enum reply_step reply_read(struct reply_reader *reader, unsigned lines_max, struct span *input,
                           struct hop_answer *answer, struct span *ret_text)
{
        bool is_first = reader->lines == 0;
        const char *fault;
        struct span line;

        if (!take_line(input, &line, &fault)) {
                *ret_text = span_from(fault == NULL ? "" : fault);
                return fault == NULL ? REPLY_UNENDED : REPLY_BAD;
        }
        uint16_t code = code_of(line);
        bool has_more = line.length > CODE_LENGTH && line.at[CODE_LENGTH] == '-';
        if (code == 0)
                *ret_text = SPAN("it says what is no reply");
        else if (!is_first && code != answer->code)
                *ret_text = SPAN("the code changes within its reply");
        else if (++reader->lines == lines_max && has_more)
                *ret_text = SPAN("its reply has too many lines");
        else {
                if (is_first)
                        begin(answer, code);
                *ret_text = span_skip(line, CODE_LENGTH + 1);
                append(answer, take_enhanced(answer, *ret_text, is_first), reader->utf8);
                reader->lines = has_more ? reader->lines : 0;
                return has_more ? REPLY_LINE : REPLY_WHOLE;
        }
        return REPLY_BAD;
}

void reply_say(struct hop_answer *answer, const char *state, const char *text)
{
        *answer = (struct hop_answer){.state = state};
        append(answer, span_from(text), false);
}
