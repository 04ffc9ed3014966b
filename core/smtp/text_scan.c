/* The scanner of message text: a state per octet that matters, memchr over those that do not. */
#include "core/smtp/text_scan.h"

#include "core/mail/leap.h"
#include "core/mail/line.h"
#include "core/mail/received.h"

/* Short lines are gathered before they are stored: a text of nothing else would cost a call for every two octets. */
#define GATHERED_MAX 4096

static void note_flaw(struct text_scan *scan, enum text_flaw flaw, uint64_t octet)
{
        if (scan->flaws[flaw].line > 0)
                return;
        scan->flaws[flaw] = (struct text_place){scan->line, octet};
        scan->is_bad = text_scan_is_bad(scan);
}

/* Octets are used up. */
static void pass(struct text_scan *scan, struct span *input, size_t length)
{
        *input = span_of(input->at + length, input->length - length);
        scan->offset += length;
}

static void store(struct text_scan *scan, struct span octets, struct content *content,
                  struct content_pool *pool)
{
        scan->size += octets.length;
        if (scan->size > scan->size_max)
                scan->is_too_large = scan->is_bad = true;
        if (scan->is_bad)
                return;
        if (scan->reader != NULL)
                auth_reader_read(scan->reader, octets);
        if (!(scan->claims == NULL ? content_append(content, pool, octets)
                                   : claims_read(scan->claims, octets, content, pool)))
                scan->is_out_of_memory = scan->is_bad = true;
}

static void end_text(struct text_scan *scan, struct content *content, struct content_pool *pool)
{
        scan->state = TEXT_END;
        if (scan->claims != NULL && !text_scan_is_bad(scan) && !claims_end(scan->claims, content, pool))
                scan->is_out_of_memory = true;
}

/* Octets of one line, its CRLF not among them. They are for the caller to store. */
static void count_octets(struct text_scan *scan, struct span octets)
{
        if (scan->in_header)
                scan->hops += received_read(&scan->line_is_received, scan->line_length, octets);
        if (scan->in_header && scan->message_id != NULL)
                message_id_read(scan->message_id, octets, scan->line_length == 0);
        scan->line_length += octets.length;
}

static void keep(struct text_scan *scan, struct span octets, struct content *content,
                 struct content_pool *pool)
{
        count_octets(scan, octets);
        store(scan, octets, content, pool);
}

/* At its LF, which is yet to be passed. Its CRLF is for the caller to store. */
static void count_line(struct text_scan *scan, enum text_scan_state next)
{
        if (scan->line_length == 0)
                scan->in_header = false;
        if (scan->line_max > 0 && scan->line_length + 2 > scan->line_max)
                note_flaw(scan, TEXT_FLAW_LONG_LINE, scan->line_length + 2);
        scan->line_length = 0;
        scan->line++;
        scan->line_offset = scan->offset + 1;
        scan->state = next;
}

static void end_line(struct text_scan *scan, enum text_scan_state next, struct content *content,
                     struct content_pool *pool)
{
        count_line(scan, next);
        store(scan, SPAN("\r\n"), content, pool);
}

/* A LF that no CR precedes. It ends its line, and never the text; a dot behind it is none at the start of a line
 * of SMTP. */
static void note_bare_lf(struct text_scan *scan)
{
        scan->bare_lfs++;
        note_flaw(scan, TEXT_FLAW_BARE_LF, scan->offset - scan->line_offset + 1);
}

/* `end`: behind its line. */
static void note_lone_dot(struct text_scan *scan, uint64_t end)
{
        note_flaw(scan, TEXT_FLAW_LONE_DOT, 1);
        scan->lone_dot_end = end;
}

/* In a line, neither at its start nor after a CR. */
static void read_line(struct text_scan *scan, struct span *input, struct content *content,
                      struct content_pool *pool)
{
        bool has_crs = scan->flaws[TEXT_FLAW_BARE_CR].line > 0;
        struct span piece = has_crs ? line_piece_with_crs(*input) : line_piece(*input);

        if (piece.length > 0)
                keep(scan, piece, content, pool);
        pass(scan, input, piece.length);
        if (input->length == 0)
                return;
        bool is_crlf = input->length > 1 && input->at[0] == '\r' && input->at[1] == '\n';
        if (is_crlf)
                pass(scan, input, 1);
        else if (input->at[0] == '\n')
                note_bare_lf(scan);
        if (input->at[0] == '\n')
                end_line(scan, is_crlf ? TEXT_LINE_START : TEXT_AFTER_LF, content, pool);
        else
                scan->state = TEXT_AFTER_CR;
        pass(scan, input, 1);
}

/* A CR that no LF follows. The octet that does follow is yet to be read. */
static void bare_cr(struct text_scan *scan, struct content *content, struct content_pool *pool)
{
        note_flaw(scan, TEXT_FLAW_BARE_CR, scan->offset - scan->line_offset);
        keep(scan, SPAN("\r"), content, pool);
        scan->state = TEXT_IN_LINE;
}

/* True: the octet has been used. */
static bool read_behind_dot(struct text_scan *scan, char octet)
{
        scan->state = octet == '\r' ? TEXT_DOT_CR : TEXT_IN_LINE;
        if (octet == '\n')
                note_lone_dot(scan, scan->offset + 1);
        return octet == '\r';
}

/* Behind a bare LF a client may have doubled a dot, or may not know that it should: of two dots one goes, and a
 * single one stays. */
static bool read_behind_lf_dot(struct text_scan *scan, char octet, struct content *content,
                               struct content_pool *pool)
{
        scan->state = octet == '\r' ? TEXT_LF_DOT_CR : TEXT_IN_LINE;
        if (octet == '\r')
                return true;
        if (octet != '.')
                keep(scan, SPAN("."), content, pool);
        if (octet == '\n')
                note_lone_dot(scan, scan->offset + 1);
        return false;
}

static bool read_behind_cr(struct text_scan *scan, char octet, struct content *content,
                           struct content_pool *pool)
{
        bool is_behind_lf_dot = scan->state == TEXT_LF_DOT_CR;

        if (is_behind_lf_dot)
                keep(scan, SPAN("."), content, pool);
        if (octet != '\n') {
                bare_cr(scan, content, pool);
                return false;
        }
        if (is_behind_lf_dot)
                note_lone_dot(scan, scan->offset + 1);
        end_line(scan, TEXT_LINE_START, content, pool);
        return true;
}

/* True: the octet has been used; else it belongs to the state that is next. */
static bool read_octet(struct text_scan *scan, char octet, struct content *content, struct content_pool *pool)
{
        switch (scan->state) {
        case TEXT_LINE_START:
                scan->state = octet == '.' ? TEXT_DOT : TEXT_IN_LINE;
                return octet == '.';
        case TEXT_AFTER_LF:
                scan->state = octet == '.' ? TEXT_LF_DOT : TEXT_IN_LINE;
                return octet == '.';
        case TEXT_DOT:
                return read_behind_dot(scan, octet);
        case TEXT_LF_DOT:
                return read_behind_lf_dot(scan, octet, content, pool);
        case TEXT_DOT_CR:
                if (octet == '\n')
                        end_text(scan, content, pool);
                else
                        bare_cr(scan, content, pool);
                return octet == '\n';
        case TEXT_AFTER_CR:
        case TEXT_LF_DOT_CR:
                return read_behind_cr(scan, octet, content, pool);
        case TEXT_IN_LINE:
        case TEXT_END:
                break;
        }
        return false;
}

/* Lines like the one at the front, whose bound is far, may need no look: see leap.h. */
static bool may_leap(const struct text_scan *scan, struct span input, enum leap_over *ret_over)
{
        bool is_blank = scan->message_id != NULL && message_id_is_blank(scan->message_id);

        *ret_over = !scan->in_header ? LEAP_BODY : is_blank ? LEAP_BLANKS : LEAP_FIELDS;
        if (input.length < 2 || (scan->line_max > 0 && scan->line_max <= LEAP_LINE_MAX))
                return false;
        return !scan->in_header ||
               (!line_is_end(input.at[0]) && !leap_may_be_field(input.at) &&
                (is_blank || scan->message_id == NULL || message_id_is_elsewhere(scan->message_id)));
}

/* A whole line, unstuffed, without what ends it: what the header's readers want of it. */
static void read_header_line(struct text_scan *scan, struct span line)
{
        scan->in_header = line.length > 0;
        if (line.length == 0)
                return;
        scan->hops += received_is_begun(line);
        message_id_read_line(scan->message_id, line);
}

/* Whole lines at the front that are kept as they are. Where they end, the next octets are looked at one by one; they
 * begin no line, or none comes after them, so that nothing is searched twice. */
static struct span plain_lines(struct text_scan *scan, struct span input, uint64_t *ret_lines)
{
        size_t length = 0, line;
        enum leap_over over;
        struct leap leap;

        *ret_lines = 0;
        while ((line = line_plain_length(span_skip(input, length))) != 0 &&
               (scan->line_max == 0 || line <= scan->line_max)) {
                if (scan->in_header)
                        read_header_line(scan, span_of(input.at + length, line - 2));
                length += line;
                ++*ret_lines;
                if (!may_leap(scan, span_of(input.at + length, input.length - length), &over))
                        continue;
                leap = leap_plain_lines(span_of(input.at + length - 1, input.length - length + 1), over);
                length += leap.length;
                *ret_lines += leap.lines;
        }
        return span_of(input.at, length);
}

static void read_lines(struct text_scan *scan, struct span *input, struct content *content,
                       struct content_pool *pool)
{
        uint64_t count;

        if (!line_is_plain_ahead(*input))
                return;
        struct span lines = plain_lines(scan, *input, &count);
        if (lines.length == 0)
                return;
        store(scan, lines, content, pool);
        pass(scan, input, lines.length);
        scan->line += count;
        scan->line_offset = scan->offset;
}

/* ---- short lines */

/* Takes a dot off as read_octet() does. False for the end of the text. */
static bool unstuff_short_line(struct text_scan *scan, struct span *line, size_t end)
{
        bool is_behind_lf = scan->state == TEXT_AFTER_LF;

        if (line->length == 0 || line->at[0] != '.')
                return true;
        if (line->length == 1 && !is_behind_lf && end == 2)
                return false;
        if (line->length == 1)
                note_lone_dot(scan, scan->offset + 1 + end);
        if (!is_behind_lf || (line->length > 1 && line->at[1] == '.'))
                *line = span_skip(*line, 1);
        return true;
}

static void end_short_line(struct text_scan *scan, struct span line, size_t used, bool is_bare)
{
        scan->offset += used - 1;
        if (is_bare)
                note_bare_lf(scan);
        if (scan->in_header)
                read_header_line(scan, line);
        scan->line_length = line.length;
        count_line(scan, is_bare ? TEXT_AFTER_LF : TEXT_LINE_START);
        scan->offset++;
}

/* Behind a line that ended in a bare LF, others. Returns what they come to. Of lone dots the first one is a flaw, and
 * the last one matters where it comes last. */
static size_t mend_lines(struct text_scan *scan, struct span *input, enum leap_over over, char *gathered,
                         size_t room)
{
        size_t most = input->length < room / 2 ? input->length : room / 2;
        struct leap leap =
            leap_bare_lines(span_of(input->at - 1, most), over, scan->flaws[TEXT_FLAW_LONE_DOT].line > 0);
        size_t length = leap_mend(span_of(input->at, leap.length), gathered);

        pass(scan, input, leap.length);
        if (leap.length >= 2 && memcmp(input->at - 3, "\n.\n", 3) == 0)
                scan->lone_dot_end = scan->offset;
        scan->bare_lfs += leap.lines;
        scan->line += leap.lines;
        scan->line_offset = scan->offset;
        return length;
}

/* What the states would come to, in fewer steps. */
static void read_short_lines(struct text_scan *scan, struct span *input, struct content *content,
                             struct content_pool *pool)
{
        char gathered[GATHERED_MAX];
        size_t length = 0, end;
        enum leap_over over;
        struct span line;

        while (length + LINE_SHORT_MAX + 2 <= sizeof gathered && line_find_short(*input, &line, &end)) {
                size_t used = line.length + end;
                if (!unstuff_short_line(scan, &line, end))
                        break;
                length = line_gather(line, *input, gathered, length);
                end_short_line(scan, line, used, end == 1);
                *input = span_skip(*input, used);
                if (end == 1 && !line_has_cr_ahead(*input) && may_leap(scan, *input, &over))
                        length += mend_lines(scan, input, over, gathered + length, sizeof gathered - length);
        }
        if (length > 0)
                store(scan, span_of(gathered, length), content, pool);
}

/* Behind a CR that is not followed by a LF come others. The last one is yet to be judged. */
static void read_bare_crs(struct text_scan *scan, struct span *input, struct content *content,
                          struct content_pool *pool)
{
        size_t count = 1;

        while (count < input->length && input->at[count] == '\r')
                count++;
        note_flaw(scan, TEXT_FLAW_BARE_CR, scan->offset - scan->line_offset);
        keep(scan, span_of(input->at, count), content, pool);
        pass(scan, input, count);
}

static void read_some(struct text_scan *scan, struct span *input, struct content *content,
                      struct content_pool *pool)
{
        if (scan->state == TEXT_LINE_START && line_is_dot_cr(*input)) {
                pass(scan, input, 2);
                bare_cr(scan, content, pool);
        } else if (scan->state == TEXT_IN_LINE)
                read_line(scan, input, content, pool);
        else if (scan->state == TEXT_AFTER_CR && input->at[0] == '\r')
                read_bare_crs(scan, input, content, pool);
        else if (read_octet(scan, input->at[0], content, pool))
                pass(scan, input, 1);
}

/* `place`: of the first of the `octets`. */
static void find_nul(struct text_scan *scan, struct text_place place, struct span octets)
{
        size_t nul = span_find(octets, '\0');

        for (size_t i = 0; nul < octets.length && i < nul; i++, place.octet++)
                if (octets.at[i] == '\n')
                        place = (struct text_place){place.line + 1, 0};
        if (nul >= octets.length)
                return;
        scan->flaws[TEXT_FLAW_NUL] = place;
        scan->is_bad = true;
}

bool text_scan_read(struct text_scan *scan, struct span *input, struct content *content,
                    struct content_pool *pool)
{
        struct span before = *input;
        struct text_place place = {scan->line, scan->offset - scan->line_offset + 1};

        while (input->length > 0 && scan->state != TEXT_END) {
                if (scan->state == TEXT_LINE_START && input->at[0] != '.')
                        read_lines(scan, input, content, pool);
                if ((scan->state == TEXT_LINE_START && !line_is_dot_cr(*input)) ||
                    scan->state == TEXT_AFTER_LF)
                        read_short_lines(scan, input, content, pool);
                if (input->length > 0)
                        read_some(scan, input, content, pool);
        }
        if (scan->flaws[TEXT_FLAW_NUL].line == 0)
                find_nul(scan, place, span_of(before.at, before.length - input->length));
        return scan->state == TEXT_END;
}
