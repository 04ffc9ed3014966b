/* Header blocks (RFC 5322 2.2): the fields that matter, by the block in which they count. A field's value is
 * unfolded as it comes. */
#include "core/mail/line.h"
#include "core/mail/mime/internal.h"

#include <assert.h>

enum {
        TYPE,
        ENCODING,
        AUTO_SUBMITTED,
        IN_REPLY_TO,
        REFERENCES,
        MESSAGE_ID,
        ORIGINAL_MESSAGE_ID,
        X_ORIGINAL_MESSAGE_ID,
        FIELDS_END,
        NO_FIELD
};

/* See name_begin() for the blocks in which they count. */
static const struct field {
        struct span name;
        bool has_references;
} fields[FIELDS_END] = {
    [TYPE] = {{"content-type", 12}, false},
    [ENCODING] = {{"content-transfer-encoding", 25}, false},
    [AUTO_SUBMITTED] = {{"auto-submitted", 14}, false},
    [IN_REPLY_TO] = {{"in-reply-to", 11}, true},
    [REFERENCES] = {{"references", 10}, true},
    [MESSAGE_ID] = {{"message-id", 10}, true},
    [ORIGINAL_MESSAGE_ID] = {{"original-message-id", 19}, true},
    [X_ORIGINAL_MESSAGE_ID] = {{"x-original-message-id", 21}, true}, /* of who gives mail new ids */
};
static_assert(FIELDS_END <= 8, "candidates are 8 bits");

void mime_block_begin(struct mime_scan *scan, enum mime_block block)
{
        scan->body = MIME_BODY_FIELDS;
        scan->block = block;
        scan->field_state = MIME_FIELD_START;
        scan->field = NO_FIELD;
        scan->has_fields = false;
        scan->entity.type = MIME_TYPE_NONE;
        scan->entity.encoding = MIME_ENCODING_NONE;
        scan->entity.report = MIME_KIND_MAIL;
        scan->entity.has_type = false;
        scan->entity.boundary.length = 0;
        if (block != MIME_BLOCK_RETURNED)
                scan->is_decoded = false;
}

/* ---- values */

static void value_end(struct mime_scan *scan)
{
        struct span value = span_of(scan->value, scan->value_length);

        if (scan->field == TYPE && !scan->entity.has_type)
                mime_read_type(value, &scan->entity);
        else if (scan->field == ENCODING)
                mime_read_encoding(value, &scan->entity);
        else if (scan->field == AUTO_SUBMITTED && mime_is_auto_replied(value) && scan->kind == MIME_KIND_MAIL)
                scan->kind = MIME_KIND_AUTOMATIC_REPLY;
        scan->field = NO_FIELD;
}

/* The octet adds nothing to the value, nor ends its line, by what the value has come to. */
static bool is_dull_in_value(const struct mime_scan *scan, char octet)
{
        bool is_blank = mime_is_blank(octet) || octet == '\r';

        if (octet == '\n')
                return false;
        if (!fields[scan->field].has_references)
                return scan->value_length == MIME_VALUE_MAX;
        switch (scan->ids.state) {
        case MIME_IDS_BETWEEN:
                return is_blank || octet == '>' || octet == ',' || octet == ';';
        case MIME_IDS_JUNK:
                return octet != '<';
        case MIME_IDS_TOO_LONG:
                return octet != '<' && octet != '>';
        case MIME_IDS_BRACKET:
                return is_blank;
        case MIME_IDS_TOKEN:
        case MIME_IDS_TAG:
        case MIME_IDS_TAG_REST:
        case MIME_IDS_INNER_TAG:
                break;
        }
        return false;
}

/* Octets of a value that is read when it is whole. */
static void keep_plain(struct mime_scan *scan, struct span *input)
{
        struct span piece = line_piece(*input);
        size_t room = (size_t)(MIME_VALUE_MAX - scan->value_length);
        size_t length = piece.length < room ? piece.length : room;

        memcpy(scan->value + scan->value_length, piece.at, length);
        scan->value_length = (uint16_t)(scan->value_length + length);
        *input = span_skip(*input, piece.length);
}

/* A CR, LF or NUL, which end a piece. */
static enum mime_step take_rest(struct mime_scan *scan, char octet, bool has_references)
{
        if (octet == '\n') {
                scan->field_state = MIME_FIELD_START;
                return has_references ? mime_ids_line_end(scan) : MIME_STEP_NONE;
        }
        return has_references && octet != '\r' ? mime_ids_octet(scan, octet) : MIME_STEP_NONE;
}

enum mime_step mime_field_value(struct mime_scan *scan, struct span *input)
{
        bool has_references = fields[scan->field].has_references;
        enum mime_step step = MIME_STEP_NONE;

        while (step == MIME_STEP_NONE && input->length > 0 && scan->field_state == MIME_FIELD_VALUE &&
               !mime_is_spent(scan)) {
                if (has_references && !line_is_end(input->at[0]))
                        step = mime_ids_read(scan, input);
                else if (!has_references)
                        keep_plain(scan, input);
                if (step != MIME_STEP_NONE || input->length == 0 || mime_is_spent(scan))
                        break;
                step = take_rest(scan, input->at[0], has_references);
                *input = span_skip(*input, 1);
        }
        return step;
}

static enum mime_step value_octet(struct mime_scan *scan, char octet)
{
        struct span input = span_of(&octet, 1);
        return mime_field_value(scan, &input);
}

/* ---- names */

static void field_begin(struct mime_scan *scan, unsigned row)
{
        scan->field_state = MIME_FIELD_VALUE;
        scan->field = (uint8_t)row;
        scan->value_length = 0;
        if (fields[row].has_references)
                mime_ids_begin(scan, MIME_IDS_IN_FIELD);
}

static void name_end(struct mime_scan *scan)
{
        unsigned row = scan->candidates == 0 ? NO_FIELD : (unsigned)__builtin_ctz(scan->candidates);

        scan->has_fields = true;
        scan->field_state = MIME_FIELD_SKIP;
        if (row == NO_FIELD || fields[row].name.length != scan->name_length)
                return;
        field_begin(scan, row);
}

#define ORIGINAL_IDS (1 << ORIGINAL_MESSAGE_ID | 1 << X_ORIGINAL_MESSAGE_ID)

/* The rows that count in each block. A part has no Message-ID of its own: where one has, the empty line in
 * front of a returned header is missing. */
static const uint8_t in_block[] = {
    [MIME_BLOCK_TOP] =
        1 << TYPE | 1 << ENCODING | 1 << AUTO_SUBMITTED | 1 << IN_REPLY_TO | 1 << REFERENCES | ORIGINAL_IDS,
    [MIME_BLOCK_PART] = 1 << TYPE | 1 << ENCODING | 1 << MESSAGE_ID | ORIGINAL_IDS,
    [MIME_BLOCK_RETURNED] = 1 << TYPE | 1 << MESSAGE_ID | ORIGINAL_IDS,
};

/* No name of the table begins another. The first name of a block is read to its end: only then has it
 * fields. */
static void name_octet(struct mime_scan *scan, char octet)
{
        char lower = ascii_lower(octet);

        if (octet == '\n')
                scan->field_state = MIME_FIELD_START;
        else if (octet == ':')
                name_end(scan);
        else if (mime_is_blank(octet))
                scan->name_has_ended = true; /* RFC 5322 4.5: blanks before the colon */
        else if (scan->name_has_ended)
                scan->field_state = MIME_FIELD_SKIP;
        if (scan->field_state != MIME_FIELD_NAME || scan->name_has_ended)
                return;
        for (unsigned left = scan->candidates; left != 0; left &= left - 1) {
                const struct span *name = &fields[__builtin_ctz(left)].name;
                if (scan->name_length >= name->length || name->at[scan->name_length] != lower)
                        scan->candidates &= (uint8_t) ~(left & -left);
        }
        scan->name_length++;
        if (scan->candidates == 0 && scan->has_fields)
                scan->field_state = MIME_FIELD_SKIP;
}

static void name_begin(struct mime_scan *scan, char octet)
{
        scan->candidates = in_block[scan->block];
        scan->name_length = 0;
        scan->name_has_ended = false;
        scan->field_state = MIME_FIELD_NAME;
        name_octet(scan, octet);
}

/* ---- lines */

/* Some put a quoted or indented copy where a header should be. */
static bool is_copy(const struct mime_scan *scan, char first)
{
        return scan->block == MIME_BLOCK_RETURNED && !scan->has_fields &&
               (mime_is_blank(first) || first == '>' || first == '|');
}

/* The line goes on with the field before it. No name begins with "<": who forwarded the header lost blanks. */
static bool is_folded(const struct mime_scan *scan, char first)
{
        return mime_is_blank(first) ||
               (first == '<' && scan->field != NO_FIELD && fields[scan->field].has_references);
}

static enum mime_step start_octet(struct mime_scan *scan, char octet)
{
        if (is_copy(scan, octet)) {
                mime_lines_begin(scan, true, true); /* the mark itself matters to nobody */
                return MIME_STEP_NONE;
        }
        if (is_folded(scan, octet)) {
                scan->field_state = scan->field == NO_FIELD ? MIME_FIELD_SKIP : MIME_FIELD_VALUE;
                return scan->field == NO_FIELD ? MIME_STEP_NONE : value_octet(scan, octet);
        }
        if (scan->field != NO_FIELD)
                value_end(scan);
        if (octet == '\n')
                return MIME_STEP_BLANK;
        name_begin(scan, octet);
        return MIME_STEP_NONE;
}

enum mime_step mime_field_octet(struct mime_scan *scan, char octet)
{
        if (octet == '\r' && scan->field_state != MIME_FIELD_NAME) /* in a name it makes another */
                return MIME_STEP_NONE;
        switch (scan->field_state) {
        case MIME_FIELD_START:
                return start_octet(scan, octet);
        case MIME_FIELD_NAME:
                name_octet(scan, octet);
                break;
        case MIME_FIELD_VALUE:
                return value_octet(scan, octet);
        case MIME_FIELD_SKIP:
                if (octet == '\n')
                        scan->field_state = MIME_FIELD_START;
                break;
        }
        return MIME_STEP_NONE;
}

/* The rows by their first letters, which most lines have not, and by their second ones. */
static const uint8_t with_first[256] = {
    ['a'] = 1 << AUTO_SUBMITTED,        ['c'] = 1 << TYPE | 1 << ENCODING,
    ['i'] = 1 << IN_REPLY_TO,           ['m'] = 1 << MESSAGE_ID,
    ['o'] = 1 << ORIGINAL_MESSAGE_ID,   ['r'] = 1 << REFERENCES,
    ['x'] = 1 << X_ORIGINAL_MESSAGE_ID,
};
static const uint8_t with_second[256] = {
    ['o'] = 1 << TYPE | 1 << ENCODING, ['u'] = 1 << AUTO_SUBMITTED,
    ['n'] = 1 << IN_REPLY_TO,          ['e'] = 1 << REFERENCES | 1 << MESSAGE_ID,
    ['r'] = 1 << ORIGINAL_MESSAGE_ID,  ['-'] = 1 << X_ORIGINAL_MESSAGE_ID,
};

/* The rows that a line of two octets or more may begin with, in either case. */
static inline unsigned rows_of(const struct mime_scan *scan, struct span line)
{
        return in_block[scan->block] & with_first[(unsigned char)line.at[0] | 0x20] &
               with_second[(unsigned char)line.at[1] | 0x20];
}

/* The row whose name the line begins with, NO_FIELD, or FIELDS_END when the line is too short to tell. */
static unsigned row_of(const struct mime_scan *scan, struct span line)
{
        for (unsigned left = rows_of(scan, line); left != 0; left &= left - 1) {
                unsigned row = (unsigned)__builtin_ctz(left);
                const struct span *name = &fields[row].name;
                if (name->at[2] != ascii_lower(line.at[2]))
                        continue;
                if (line.length <= name->length)
                        return FIELDS_END;
                char end = line.at[name->length];
                if ((end == ':' || end == ' ' || end == '\t') && span_starts_nocase(line, *name))
                        return row;
        }
        return NO_FIELD;
}

static bool start_line(struct mime_scan *scan, struct span *line, unsigned row)
{
        if (row == FIELDS_END || (row != NO_FIELD && line->at[fields[row].name.length] != ':'))
                return false;
        if (scan->field != NO_FIELD)
                value_end(scan);
        scan->field_state = MIME_FIELD_SKIP;
        if (row == NO_FIELD)
                return true;
        field_begin(scan, row);
        *line = span_skip(*line, fields[row].name.length + 1);
        return true;
}

bool mime_field_start(struct mime_scan *scan, struct span *line)
{
        char first = line->at[0];

        if (line->length < 3 || first == '\r' || first == '\n' || mime_needs_field(scan))
                return false;
        if (!is_folded(scan, first))
                return start_line(scan, line, row_of(scan, *line));
        scan->field_state = scan->field == NO_FIELD ? MIME_FIELD_SKIP : MIME_FIELD_VALUE;
        return true;
}

/* ---- lines that add nothing */

/* Folded lines at the front. */
static size_t dull_folds(const struct mime_scan *scan, struct span input)
{
        bool references = fields[scan->field].has_references;
        size_t length = 0, at = 0;

        while (at < input.length && mime_is_blank(input.at[at])) {
                while (at < input.length && is_dull_in_value(scan, input.at[at]))
                        at++;
                if (at == input.length || input.at[at] != '\n')
                        break;
                length = at += 1 + mime_leap_folds(scan, references, span_skip(input, at));
        }
        return length;
}

/* The line, with its LF, is no field that matters, nor one's beginning, nor the end of the header. */
static bool is_dull_line(const struct mime_scan *scan, struct span line)
{
        char first = line.at[0];

        if (line_is_end(first) || (first == '-' && mime_may_be_delimiter(scan, line)))
                return false;
        return mime_is_blank(first) ||
               (line.length >= 3 && (rows_of(scan, line) == 0 || row_of(scan, line) == NO_FIELD));
}

/* The same where a field is needed. An empty line ends no header: see header_end(). */
static bool is_dull_without_fields(const struct mime_scan *scan, struct span line)
{
        char first = line.at[0];

        if (first == '\n' || (first == '\r' && line.length == 2))
                return true;
        if (first == '\r' || (first == '-' && mime_may_be_delimiter(scan, line)))
                return false;
        return !is_copy(scan, first) && span_find(line, ':') == SIZE_MAX;
}

/* Lines that are all, as they come. */
static size_t dull_lines(const struct mime_scan *scan, struct span input,
                         bool (*is_dull)(const struct mime_scan *scan, struct span line))
{
        size_t at = 0, length;

        while ((length = line_length(span_of(input.at + at, input.length - at))) != SIZE_MAX &&
               is_dull(scan, span_of(input.at + at, length + 1))) {
                at += length;
                at += 1 + mime_leap_fields(scan, span_of(input.at + at, input.length - at));
        }
        return at;
}

void mime_skip_dull_fields(const struct mime_scan *scan, struct span *input)
{
        size_t length;

        if (scan->field != NO_FIELD)
                length = dull_folds(scan, *input);
        else if (mime_needs_field(scan))
                length = dull_lines(scan, *input, is_dull_without_fields);
        else
                length = dull_lines(scan, *input, is_dull_line);
        *input = span_skip(*input, length);
}
