/* The scanner of message text: a state per octet that matters, memchr over those that do not. */
#include "core/smtp/text_scan.h"

#define PIECE_MAX 1024

static const struct span received_field = {"received:", 9};

void text_scan_init(struct text_scan *scan, uint64_t size_max, uint64_t line_max)
{
        *scan = (struct text_scan){.size_max = size_max, .line_max = line_max, .in_header = true};
}

bool text_scan_is_bad(const struct text_scan *scan)
{
        return scan->has_bare_newline || scan->has_nul || scan->has_long_line || scan->is_too_large ||
               scan->is_out_of_memory;
}

static void note_header(struct text_scan *scan, struct span octets)
{
        uint64_t at = scan->line_length;

        if (at == 0)
                scan->line_is_received = true;
        for (size_t i = 0; i < octets.length && at + i < received_field.length; i++) {
                if (ascii_lower(octets.at[i]) != received_field.at[at + i])
                        scan->line_is_received = false;
                if (at + i == received_field.length - 1 && scan->line_is_received)
                        scan->hops++;
        }
}

static void store(struct text_scan *scan, struct span octets, struct content *content,
                  struct content_pool *pool)
{
        scan->size += octets.length;
        if (scan->size > scan->size_max)
                scan->is_too_large = true;
        if (text_scan_is_bad(scan))
                return;
        if (!(scan->claims == NULL ? content_append(content, pool, octets)
                                   : claims_read(scan->claims, octets, content, pool)))
                scan->is_out_of_memory = true;
}

static void end_text(struct text_scan *scan, struct content *content, struct content_pool *pool)
{
        scan->state = TEXT_END;
        if (scan->claims != NULL && !text_scan_is_bad(scan) && !claims_end(scan->claims, content, pool))
                scan->is_out_of_memory = true;
}

/* Octets of one line, its CRLF not among them. */
static void keep(struct text_scan *scan, struct span octets, struct content *content,
                 struct content_pool *pool)
{
        if (scan->in_header && scan->line_length < received_field.length)
                note_header(scan, octets);
        if (scan->in_header && scan->message_id != NULL)
                message_id_read(scan->message_id, octets, scan->line_length == 0);
        scan->line_length += octets.length;
        store(scan, octets, content, pool);
}

static void end_line(struct text_scan *scan, struct content *content, struct content_pool *pool)
{
        if (scan->line_length == 0)
                scan->in_header = false;
        if (scan->line_max > 0 && scan->line_length + 2 > scan->line_max)
                scan->has_long_line = true;
        store(scan, SPAN("\r\n"), content, pool);
        scan->line_length = 0;
        scan->state = TEXT_LINE_START;
}

/* A piece at the front with neither CR nor LF in it. Short, so that a flood of one of them costs no search of
 * the whole for the other at each. */
static struct span plain_piece(struct span input)
{
        if (input.length > PIECE_MAX)
                input.length = PIECE_MAX;
        size_t cr = span_find(input, '\r');
        if (cr < input.length)
                input.length = cr;
        size_t lf = span_find(input, '\n');
        if (lf < input.length)
                input.length = lf;
        return input;
}

/* In a line, neither at its start nor after a CR. */
static void read_line(struct text_scan *scan, struct span *input, struct content *content,
                      struct content_pool *pool)
{
        struct span piece = plain_piece(*input);
        keep(scan, piece, content, pool);
        *input = span_skip(*input, piece.length);
        if (input->length == 0)
                return;
        if (input->at[0] == '\r') {
                scan->state = TEXT_AFTER_CR;
        } else if (input->at[0] != '\n') {
                return;
        } else {
                scan->has_bare_newline = true;
                keep(scan, SPAN("\n"), content, pool);
        }
        *input = span_skip(*input, 1);
}

/* A CR that no LF follows. The octet that does follow is yet to be read. */
static void bare_cr(struct text_scan *scan, struct content *content, struct content_pool *pool)
{
        scan->has_bare_newline = true;
        keep(scan, SPAN("\r"), content, pool);
        scan->state = TEXT_IN_LINE;
}

static void read_octet(struct text_scan *scan, struct span *input, struct content *content,
                       struct content_pool *pool)
{
        char octet = input->at[0];

        switch (scan->state) {
        case TEXT_LINE_START:
                scan->state = octet == '.' ? TEXT_DOT : TEXT_IN_LINE;
                if (octet == '.')
                        break;
                return;
        case TEXT_DOT:
                scan->state = octet == '\r' ? TEXT_DOT_CR : TEXT_IN_LINE;
                if (octet == '\r')
                        break;
                return;
        case TEXT_DOT_CR:
                if (octet == '\n')
                        end_text(scan, content, pool);
                else
                        bare_cr(scan, content, pool);
                if (octet == '\n')
                        break;
                return;
        case TEXT_AFTER_CR:
                if (octet == '\n')
                        end_line(scan, content, pool);
                else
                        bare_cr(scan, content, pool);
                if (octet == '\n')
                        break;
                return;
        case TEXT_IN_LINE:
                read_line(scan, input, content, pool);
                return;
        case TEXT_END:
                return;
        }
        *input = span_skip(*input, 1);
}

/* Whole lines of the body at the front in which nothing is to be seen: no dot at the start, no CR or LF but
 * the CRLF at the end. Where they end, the next octets are looked at one by one; they begin no line, or none
 * comes after them, so that nothing is searched twice. */
static struct span plain_lines(const struct text_scan *scan, struct span input)
{
        size_t length = 0;

        while (length < input.length && input.at[length] != '.') {
                struct span rest = span_skip(input, length);
                size_t lf = span_find(rest, '\n');
                if (lf == SIZE_MAX || lf == 0 || span_find(span_of(rest.at, lf), '\r') != lf - 1 ||
                    (scan->line_max > 0 && lf + 1 > scan->line_max))
                        break;
                length += lf + 1;
        }
        return span_of(input.at, length);
}

static void read_lines(struct text_scan *scan, struct span *input, struct content *content,
                       struct content_pool *pool)
{
        struct span lines = plain_lines(scan, *input);

        if (lines.length == 0) {
                read_octet(scan, input, content, pool);
                return;
        }
        store(scan, lines, content, pool);
        *input = span_skip(*input, lines.length);
}

bool text_scan_read(struct text_scan *scan, struct span *input, struct content *content,
                    struct content_pool *pool)
{
        struct span before = *input;

        while (input->length > 0 && scan->state != TEXT_END)
                if (scan->state == TEXT_LINE_START && !scan->in_header)
                        read_lines(scan, input, content, pool);
                else
                        read_octet(scan, input, content, pool);
        if (before.length > 0 && memchr(before.at, '\0', before.length - input->length) != NULL)
                scan->has_nul = true;
        return scan->state == TEXT_END;
}
