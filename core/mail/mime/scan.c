/* Lines, parts and what each part's body is read as. Lines that matter to nobody are leapt over. */
#include "core/mail/mime/scan.h"

#include "core/mail/line.h"
#include "core/mail/mime/internal.h"

void mime_scan_init(struct mime_scan *scan, bool is_notification, bool wants_mentions)
{
        /* Not all of it is cleared: the buffers are large, and most mail never uses them. */
        scan->kind = MIME_KIND_MAIL;
        scan->is_notification = is_notification;
        scan->wants_mentions = wants_mentions;
        scan->line = MIME_LINE_START;
        scan->depth = scan->dashes_length = scan->dashes_read = 0;
        scan->value_length = 0;
        scan->spent = 0;
        mime_block_begin(scan, MIME_BLOCK_TOP);
}

/* ---- entities */

static void decode_begin(struct mime_scan *scan)
{
        scan->is_decoded = scan->entity.encoding != MIME_ENCODING_NONE;
        mime_decode_begin(&scan->decoder, scan->entity.encoding);
}

void mime_body_skip(struct mime_scan *scan)
{
        scan->body = scan->depth == 0 ? MIME_BODY_OVER : MIME_BODY_SKIP;
}

/* Up to the first delimiter, which may never come: what stands there is read as text, with names in it when
 * no boundary is known. Then a line that looks like a delimiter tells it: see guess_delimiter(). */
static void multipart_begin(struct mime_scan *scan)
{
        bool is_known = scan->entity.boundary.length > 0 && scan->depth < MIME_DEPTH_MAX;

        if (scan->depth < MIME_DEPTH_MAX)
                scan->boundaries[scan->depth++] = scan->entity.boundary;
        scan->is_decoded = false;
        mime_lines_begin(scan, true, !is_known);
}

static void body_begin(struct mime_scan *scan)
{
        decode_begin(scan);
        switch (scan->entity.type) {
        case MIME_TYPE_MULTIPART:
                multipart_begin(scan);
                return;
        case MIME_TYPE_RETURNED:
                mime_block_begin(scan, MIME_BLOCK_RETURNED);
                return;
        case MIME_TYPE_DISPOSITION:
        case MIME_TYPE_STATUS:
                mime_lines_begin(scan, true, false);
                return;
        case MIME_TYPE_NONE:
        case MIME_TYPE_TEXT:
        case MIME_TYPE_HTML:
                mime_lines_begin(scan, true, true);
                return;
        case MIME_TYPE_BINARY:
                mime_body_skip(scan);
        }
}

/* Behind the header of a returned message. A report has come back when a report itself was forwarded: what it
 * is about is what this one is about. */
static void returned_begin(struct mime_scan *scan)
{
        if (scan->entity.report != MIME_KIND_MAIL && !scan->is_decoded)
                multipart_begin(scan);
        else if (scan->wants_mentions)
                mime_lines_begin(scan, false, true);
        else
                mime_body_skip(scan);
}

/* What a part of a report that does not say what it reports tells. */
static void note_part(struct mime_scan *scan)
{
        if (scan->kind != MIME_KIND_UNKNOWN)
                return;
        if (scan->entity.type == MIME_TYPE_STATUS)
                scan->kind = MIME_KIND_DELIVERY_REPORT;
        else if (scan->entity.type == MIME_TYPE_DISPOSITION)
                scan->kind = MIME_KIND_READ_RECEIPT;
}

static void note_top(struct mime_scan *scan)
{
        const struct mime_entity *entity = &scan->entity;

        if (entity->type == MIME_TYPE_STATUS)
                scan->kind = MIME_KIND_DELIVERY_REPORT;
        else if (entity->type == MIME_TYPE_DISPOSITION)
                scan->kind = MIME_KIND_READ_RECEIPT;
        else if (entity->type == MIME_TYPE_MULTIPART && entity->report != MIME_KIND_MAIL &&
                 (entity->report != MIME_KIND_UNKNOWN || scan->kind == MIME_KIND_MAIL))
                scan->kind = entity->report;
}

static void header_end(struct mime_scan *scan)
{
        switch (scan->block) {
        case MIME_BLOCK_TOP:
                note_top(scan);
                if (scan->kind == MIME_KIND_MAIL && !scan->is_notification)
                        scan->body = MIME_BODY_OVER;
                else
                        body_begin(scan);
                break;
        case MIME_BLOCK_PART:
                note_part(scan);
                body_begin(scan);
                break;
        case MIME_BLOCK_RETURNED:
                if (scan->has_fields) /* some put an empty line, or words, before it */
                        returned_begin(scan);
                break;
        }
}

/* ---- octets */

static enum mime_step field_octet(struct mime_scan *scan, char octet)
{
        /* UTF-16 is ASCII with NUL octets between. */
        if (scan->is_decoded && (!mime_decode(&scan->decoder, &octet) || octet == '\0'))
                return MIME_STEP_NONE;
        if (scan->is_decoded && octet == '\n')
                mime_spend(scan);
        enum mime_step step = mime_field_octet(scan, octet);
        if (step == MIME_STEP_BLANK)
                header_end(scan);
        return step;
}

static enum mime_step body_octet(struct mime_scan *scan, char octet)
{
        struct span input = span_of(&octet, 1);

        if (scan->body == MIME_BODY_TEXT)
                return mime_lines_read(scan, &input);
        return scan->body == MIME_BODY_FIELDS ? field_octet(scan, octet) : MIME_STEP_NONE;
}

/* Nobody wants the rest of this line. */
static bool is_line_done(const struct mime_scan *scan)
{
        if (scan->body == MIME_BODY_TEXT)
                return mime_lines_is_line_done(scan);
        return scan->body == MIME_BODY_SKIP ||
               (scan->body == MIME_BODY_FIELDS && !scan->is_decoded && scan->field_state == MIME_FIELD_SKIP);
}

/* Behind an octet of the line. */
static void note_line(struct mime_scan *scan, char octet)
{
        scan->line = octet == '\n' ? MIME_LINE_START : is_line_done(scan) ? MIME_LINE_SKIP : MIME_LINE_INSIDE;
}

static enum mime_step line_octet(struct mime_scan *scan, char octet)
{
        enum mime_step step = body_octet(scan, octet);

        note_line(scan, octet);
        return step;
}

/* A line that begins with "-" is kept until it is known to be no delimiter: then it is read like any other,
 * see next_octet(). */
static void dash_octet(struct mime_scan *scan, char octet)
{
        bool is_end = octet == '\n';

        if (is_end && scan->dashes_length >= 2) {
                size_t length = scan->dashes_length;
                length -= scan->dashes[length - 1] == '\r';
                if (mime_take_delimiter(scan, span_of(scan->dashes, length))) {
                        scan->line = MIME_LINE_START;
                        scan->dashes_length = 0;
                        return;
                }
        }
        scan->dashes[scan->dashes_length++] = octet;
        if (is_end || scan->dashes_length == sizeof scan->dashes ||
            (scan->dashes_length == 2 && octet != '-')) {
                scan->line = MIME_LINE_INSIDE;
                scan->dashes_read = 0;
        }
}

/* Octets of that line that neither end it nor fill what it is kept in. */
static bool take_dash_run(struct mime_scan *scan, struct span *input)
{
        size_t room = sizeof scan->dashes - 1 - scan->dashes_length;
        struct span run = span_of(input->at, input->length < room ? input->length : room);
        size_t end = span_find(run, '\n');

        if (end < run.length)
                run.length = end;
        if (scan->dashes_length < 2 || run.length == 0)
                return false;
        memcpy(scan->dashes + scan->dashes_length, run.at, run.length);
        scan->dashes_length = (uint16_t)(scan->dashes_length + run.length);
        *input = span_skip(*input, run.length);
        return true;
}

static bool has_dashes(const struct mime_scan *scan)
{
        return scan->line != MIME_LINE_DASHES && scan->dashes_read < scan->dashes_length;
}

static char next_octet(struct mime_scan *scan, struct span *input)
{
        if (has_dashes(scan))
                return scan->dashes[scan->dashes_read++];
        char octet = input->at[0];
        *input = span_skip(*input, 1);
        return octet;
}

/* Past the end of the line, or of what there is of it. */
static void skip_line(struct mime_scan *scan, struct span *input)
{
        size_t end = span_find(*input, '\n');

        *input = span_skip(*input, end == SIZE_MAX ? input->length : end + 1);
        if (end == SIZE_MAX)
                return;
        scan->line = MIME_LINE_START;
        scan->field_state = MIME_FIELD_START;
        scan->lines.state = MIME_LINES_START;
}

/* At the start of a line that is no delimiter. */
static void start_line(struct mime_scan *scan, struct span *input)
{
        if (scan->body == MIME_BODY_SKIP)
                scan->line = MIME_LINE_SKIP;
        else if (scan->body == MIME_BODY_TEXT)
                scan->line = MIME_LINE_INSIDE;
        else if (scan->body == MIME_BODY_FIELDS && !scan->is_decoded && mime_field_start(scan, input))
                scan->line = scan->field_state == MIME_FIELD_SKIP ? MIME_LINE_SKIP : MIME_LINE_INSIDE;
}

/* Lines that matter to nobody. */
static void skip_dull(const struct mime_scan *scan, struct span *input)
{
        if (scan->body != MIME_BODY_FIELDS)
                mime_skip_dull_text(scan, input);
        else if (!scan->is_decoded)
                mime_skip_dull_fields(scan, input);
}

/* A whole line at the front that is a delimiter. */
static bool take_delimiter(struct mime_scan *scan, struct span *input)
{
        size_t end = input->length > 2 && input->at[1] == '-' ? line_length(*input) : SIZE_MAX;

        if (end >= sizeof scan->dashes ||
            !mime_take_delimiter(scan, span_of(input->at, end - (input->at[end - 1] == '\r'))))
                return false;
        *input = span_of(input->at + end + 1, input->length - end - 1);
        return true;
}

static bool take_delimiters(struct mime_scan *scan, struct span *input)
{
        size_t length = input->length;

        while (scan->depth > 0 && input->length > 0 && input->at[0] == '-' && take_delimiter(scan, input))
                ;
        return input->length < length;
}

/* The empty line behind a header. */
static bool take_blank(struct mime_scan *scan, struct span *input)
{
        if (scan->body != MIME_BODY_FIELDS || scan->is_decoded || mime_needs_field(scan) ||
            input->length < 2 || input->at[0] != '\r' || input->at[1] != '\n' ||
            mime_field_octet(scan, '\n') != MIME_STEP_BLANK)
                return false;
        header_end(scan);
        *input = span_of(input->at + 2, input->length - 2);
        return true;
}

static void take_value(struct mime_scan *scan, struct span *input, enum mime_step *ret_step)
{
        *ret_step = mime_field_value(scan, input);
        if (scan->field_state == MIME_FIELD_START)
                scan->line = MIME_LINE_START;
}

static void take_text(struct mime_scan *scan, struct span *input, enum mime_step *ret_step)
{
        *ret_step = mime_lines_read(scan, input);
        note_line(scan, input->at[-1]);
}

/* Whole pieces at once where that can be: of the input itself, and of fields with no encoding. */
static bool take_piece(struct mime_scan *scan, struct span *input, enum mime_step *ret_step)
{
        bool in_value = scan->body == MIME_BODY_FIELDS && !scan->is_decoded;

        if (scan->line == MIME_LINE_DASHES)
                return take_dash_run(scan, input);
        if (scan->line == MIME_LINE_START && (take_delimiters(scan, input) || take_blank(scan, input)))
                return true;
        if (scan->line == MIME_LINE_START)
                skip_dull(scan, input);
        if (input->length == 0)
                return true;
        if (scan->line == MIME_LINE_START && (scan->depth == 0 || input->at[0] != '-'))
                start_line(scan, input);
        if (scan->line == MIME_LINE_SKIP)
                skip_line(scan, input);
        else if (scan->line == MIME_LINE_INSIDE && scan->body == MIME_BODY_TEXT)
                take_text(scan, input, ret_step);
        else if (scan->line == MIME_LINE_INSIDE && in_value && scan->field_state == MIME_FIELD_VALUE)
                take_value(scan, input, ret_step);
        else
                return false;
        return true;
}

static enum mime_step take_octet(struct mime_scan *scan, struct span *input)
{
        bool is_fresh = !has_dashes(scan);
        char octet = next_octet(scan, input);

        if (is_fresh && scan->line == MIME_LINE_START && octet == '-' && scan->depth > 0) {
                scan->line = MIME_LINE_DASHES;
                scan->dashes_length = 0;
        }
        if (scan->line != MIME_LINE_DASHES)
                return line_octet(scan, octet);
        dash_octet(scan, octet);
        return MIME_STEP_NONE;
}

/* What began like a delimiter and is none, as the text that it is. */
static bool take_dashes(struct mime_scan *scan, enum mime_step *ret_step)
{
        struct span rest = span_of(scan->dashes + scan->dashes_read, scan->dashes_length - scan->dashes_read);

        if (scan->line != MIME_LINE_INSIDE || scan->body != MIME_BODY_TEXT)
                return false;
        take_text(scan, &rest, ret_step);
        scan->dashes_read = (uint16_t)(scan->dashes_length - rest.length);
        return true;
}

enum mime_event mime_scan_read(struct mime_scan *scan, struct span *input)
{
        while (scan->body != MIME_BODY_OVER && (input->length > 0 || has_dashes(scan))) {
                enum mime_step step = MIME_STEP_NONE;
                if (has_dashes(scan) ? !take_dashes(scan, &step) : !take_piece(scan, input, &step))
                        step = take_octet(scan, input);
                if (mime_is_spent(scan))
                        scan->body = MIME_BODY_OVER;
                if (step == MIME_STEP_REFERENCE || step == MIME_STEP_MENTION)
                        return step == MIME_STEP_MENTION ? MIME_MENTION : MIME_REFERENCE;
        }
        return scan->body == MIME_BODY_OVER ? MIME_OVER : MIME_MORE;
}
