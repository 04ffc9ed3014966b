/* Running text: lines that begin like fields with message ids, as they stand in copies of a header, quoted,
 * indented or turned into HTML as they may be. text.c hands it the octets. */
#include "core/mail/mime/internal.h"

void mime_lines_begin(struct mime_scan *scan, bool has_labels, bool has_mentions)
{
        struct mime_lines *lines = &scan->lines;

        scan->body = MIME_BODY_TEXT;
        lines->has_labels = has_labels;
        lines->has_mentions = has_mentions;
        lines->is_html = scan->entity.type == MIME_TYPE_HTML;
        lines->state = MIME_LINES_START;
        lines->in_domain = false;
        scan->value_length = 0;
}

/* ---- labels */

#define LABEL_END_MAX 13

static const struct label {
        struct span end; /* letters, all else left out: so "X-Original-Message-ID" and "Message Id" match */
        bool has_many;
} labels[] = {
    {{"messageid", 9}, false}, /* RFC 5322 3.6.4, RFC 8098 3.2.5 */
    {{"msgid", 5}, false},     /* some call it so */
    {{"nachrichtenid", 13}, false},
    {{"envelopeid", 10}, false}, /* RFC 3464 2.2.1: many make it of the Message-ID */
    {{"inreplyto", 9}, true},
    {{"references", 10}, true},
};

/* All labels end in one of these. */
static inline bool may_be_last(char letter)
{
        return letter == 'd' || letter == 'o' || letter == 's';
}

/* `letters` are in lower case. */
static const struct label *label_ending(struct span letters)
{
        for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
                const struct span *end = &labels[i].end;
                if (letters.length >= end->length &&
                    memcmp(letters.at + letters.length - end->length, end->at, end->length) == 0)
                        return &labels[i];
        }
        return NULL;
}

static const struct label *label_of(const struct mime_lines *lines)
{
        return label_ending(span_of(lines->label, lines->label_length));
}

static void value_begin(struct mime_scan *scan, const struct label *label)
{
        struct mime_lines *lines = &scan->lines;

        lines->state = label == NULL ? MIME_LINES_SKIP : MIME_LINES_VALUE;
        if (label == NULL)
                return;
        mime_spend(scan);
        lines->has_many = label->has_many;
        lines->has_found = lines->in_domain = false;
        mime_ids_begin(scan, lines->is_html ? MIME_IDS_IN_HTML : MIME_IDS_IN_TEXT);
}

static enum mime_step value_octet(struct mime_scan *scan, char octet);

static void label_letter(struct mime_lines *lines, char letter)
{
        if (lines->label_length == MIME_LABEL_MAX)
                lines->state = MIME_LINES_SKIP; /* a sentence */
        else
                lines->label[lines->label_length++] = ascii_lower(letter);
}

/* "<" without a colon: the next cell of a table, or "message id <x@y>" in a sentence. */
static enum mime_step label_bracket(struct mime_scan *scan, char octet)
{
        const struct label *label = label_of(&scan->lines);

        value_begin(scan, label != NULL && (scan->lines.is_html || !label->has_many) ? label : NULL);
        return scan->lines.state == MIME_LINES_VALUE ? value_octet(scan, octet) : MIME_STEP_NONE;
}

/* What may stand among a label's letters: digits, and these. */
static const bool is_between[256] = {
    ['0'] = true,  ['1'] = true, ['2'] = true, ['3'] = true, ['4'] = true, ['5'] = true, ['6'] = true,
    ['7'] = true,  ['8'] = true, ['9'] = true, ['-'] = true, ['_'] = true, [' '] = true, ['\t'] = true,
    ['\r'] = true, ['.'] = true, ['*'] = true, ['"'] = true, ['\''] = true};

/* What stands in front was no label. */
static void label_end(struct mime_lines *lines, char octet)
{
        bool is_fresh =
            octet == '\n' || octet == '>' || (unsigned char)octet >= 0x80 || (octet == ';' && lines->is_html);

        lines->state = is_fresh ? MIME_LINES_START : MIME_LINES_SKIP;
}

static bool ends_label(char octet)
{
        return octet == ':' || octet == '=' || octet == '<';
}

static enum mime_step label_octet(struct mime_scan *scan, char octet)
{
        struct mime_lines *lines = &scan->lines;

        if (ascii_is_alpha(octet)) {
                label_letter(lines, octet);
        } else if (is_between[(unsigned char)octet]) {
                return MIME_STEP_NONE;
        } else if (octet == ':' || octet == '=') {
                value_begin(scan, label_of(lines));
        } else if (octet == '<') {
                return label_bracket(scan, octet);
        } else {
                label_end(lines, octet);
        }
        return MIME_STEP_NONE;
}

/* What may stand in front of a label: blanks, marks of quotations and lists, other scripts. */
static void start_octet(struct mime_lines *lines, char octet)
{
        if (ascii_is_alpha(octet)) {
                lines->state = MIME_LINES_LABEL;
                lines->label_length = 0;
                label_letter(lines, octet);
        } else if (octet == '<' && lines->is_html) {
                lines->state = MIME_LINES_SKIP; /* up to its ">" */
        }
}

/* ---- values */

/* What ends a value may end the line too: in HTML, to the eye, a tag does. */
static void value_end(struct mime_lines *lines, char octet)
{
        lines->state = octet == '\n' || (octet == '>' && lines->is_html) ? MIME_LINES_START : MIME_LINES_SKIP;
}

static bool is_in_tag(const struct mime_ids *ids)
{
        return ids->state == MIME_IDS_TAG || ids->state == MIME_IDS_TAG_REST ||
               ids->state == MIME_IDS_INNER_TAG;
}

/* Behind the octet of it that came last. */
static void note_value(struct mime_scan *scan, char octet, enum mime_step step)
{
        struct mime_lines *lines = &scan->lines;

        lines->has_found = lines->has_found || step == MIME_STEP_REFERENCE;
        if (scan->ids.is_over || (lines->has_found && !lines->has_many)) {
                value_end(lines, octet);
        } else if (octet == '\n') {
                lines->state = MIME_LINES_FOLD;
                lines->is_indented = false;
        }
}

static enum mime_step value_octet(struct mime_scan *scan, char octet)
{
        if (octet == '\r')
                return MIME_STEP_NONE;
        if (octet == '\n' && is_in_tag(&scan->ids))
                octet = ' ';
        enum mime_step step = octet == '\n' ? mime_ids_line_end(scan) : mime_ids_octet(scan, octet);
        note_value(scan, octet, step);
        return step;
}

enum mime_step mime_lines_value(struct mime_scan *scan, struct span *input)
{
        const char *from = input->at;
        enum mime_step step = mime_ids_read(scan, input);

        if (input->at > from)
                note_value(scan, input->at[-1], step);
        return step;
}

/* Whether the line goes on with the value, as far as its first octet behind the indentation tells. The value
 * of a line that is not indented may do so only when nothing was found yet: a program wrapped it. */
static bool is_folded(const struct mime_scan *scan, char octet)
{
        const struct mime_lines *lines = &scan->lines;
        bool in_id = scan->ids.state == MIME_IDS_BRACKET;

        if (octet == '\n' || (in_id && octet == '<' && !lines->is_html))
                return false;
        return in_id || ((octet == '<' || octet == '&' || octet == '=') &&
                         (lines->is_html || lines->is_indented || !lines->has_found));
}

static bool is_margin(const struct mime_lines *lines, char octet)
{
        return mime_is_blank(octet) || octet == '\r' || octet == '|' || (octet == '>' && !lines->is_html);
}

static enum mime_step fold_octet(struct mime_scan *scan, char octet)
{
        struct mime_lines *lines = &scan->lines;

        if (is_margin(lines, octet)) {
                lines->is_indented = true;
                return MIME_STEP_NONE;
        }
        if (is_folded(scan, octet)) {
                lines->state = MIME_LINES_VALUE;
                return value_octet(scan, octet);
        }
        lines->state = MIME_LINES_START;
        start_octet(lines, octet);
        return MIME_STEP_NONE;
}

enum mime_step mime_lines_octet(struct mime_scan *scan, char octet)
{
        struct mime_lines *lines = &scan->lines;

        switch (lines->state) {
        case MIME_LINES_START:
                start_octet(lines, octet);
                break;
        case MIME_LINES_LABEL:
                return label_octet(scan, octet);
        case MIME_LINES_VALUE:
                return value_octet(scan, octet);
        case MIME_LINES_FOLD:
                return fold_octet(scan, octet);
        case MIME_LINES_SKIP:
                if (octet == '\n' || (octet == '>' && lines->is_html))
                        lines->state = MIME_LINES_START;
                break;
        }
        return MIME_STEP_NONE;
}

/* ---- many at once: the same, in fewer steps */

enum { LF = 1, MENTION = 2, TAG = 4, TAG_END = 8 };

static const uint8_t ends[256] = {['\n'] = LF, ['@'] = MENTION, ['<'] = TAG, ['>'] = TAG_END};

/* These pass the octets of their state, and go over to another where that takes no more than a look. */
static size_t pass_start(struct mime_lines *lines, struct span octets, unsigned stops)
{
        size_t at = 0;

        stops |= lines->is_html ? TAG : 0;
        while (at < octets.length && (ends[(unsigned char)octets.at[at]] & stops) == 0 &&
               !ascii_is_alpha(octets.at[at]))
                at++;
        if (at == octets.length)
                return at;
        if (ascii_is_alpha(octets.at[at])) {
                lines->state = MIME_LINES_LABEL;
                lines->label_length = 0;
        } else if (octets.at[at] == '<') {
                lines->state = MIME_LINES_SKIP; /* up to its ">" */
                at++;
        }
        return at;
}

static size_t pass_label(struct mime_lines *lines, struct span octets, unsigned stops)
{
        size_t at = 0, length = lines->label_length;

        for (; at < octets.length; at++) {
                char octet = octets.at[at];
                if (ascii_is_alpha(octet) && length < MIME_LABEL_MAX)
                        lines->label[length++] = (char)(octet | 0x20);
                else if (!is_between[(unsigned char)octet])
                        break;
        }
        lines->label_length = (uint8_t)length;
        if (at == octets.length || octets.at[at] == '\0' || (ends[(unsigned char)octets.at[at]] & stops) != 0)
                return at;
        if (!ends_label(octets.at[at]))
                label_end(lines, octets.at[at]);
        else if (!may_be_last(lines->label[length - 1]) || label_of(lines) == NULL)
                lines->state = MIME_LINES_SKIP;
        else
                return at;
        return at + 1;
}

static size_t pass_skip(struct mime_lines *lines, struct span octets, unsigned stops)
{
        unsigned leaves = LF | (lines->is_html ? TAG_END : 0);
        size_t at = mime_run(octets, ends, stops | leaves);

        if (at == octets.length || (ends[(unsigned char)octets.at[at]] & stops) != 0)
                return at;
        lines->state = MIME_LINES_START;
        return at + 1;
}

static size_t pass_margin(struct mime_lines *lines, struct span octets)
{
        size_t at = 0;

        while (at < octets.length && is_margin(lines, octets.at[at]))
                at++;
        lines->is_indented = lines->is_indented || at > 0;
        return at;
}

/* Each state that a label goes through is behind the one before. */
static const char *pass(struct mime_lines *lines, const char *at, const char *end, unsigned stops)
{
        if (lines->state == MIME_LINES_FOLD)
                return at + pass_margin(lines, span_of(at, (size_t)(end - at)));
        if (lines->state == MIME_LINES_START)
                at += pass_start(lines, span_of(at, (size_t)(end - at)), stops);
        if (lines->state == MIME_LINES_LABEL)
                at += pass_label(lines, span_of(at, (size_t)(end - at)), stops);
        if (lines->state == MIME_LINES_SKIP)
                at += pass_skip(lines, span_of(at, (size_t)(end - at)), stops);
        return at;
}

enum mime_step mime_lines_run(struct mime_scan *scan, struct span *octets, bool has_mentions, bool is_line)
{
        struct mime_lines *lines = &scan->lines;
        unsigned stops = (has_mentions ? MENTION : 0) | (is_line ? LF : 0);
        enum mime_step step = MIME_STEP_NONE;
        const char *at = octets->at, *end = at + octets->length;

        while (step == MIME_STEP_NONE && at < end && lines->state != MIME_LINES_VALUE) {
                const char *from = at;
                at = pass(lines, at, end, stops);
                if (at > from)
                        continue;
                if (*at == '\0' || (ends[(unsigned char)*at] & stops) != 0)
                        break;
                step = mime_lines_octet(scan, *at++);
        }
        *octets = span_of(at, (size_t)(end - at));
        return step;
}

size_t mime_unlabelled_run(struct span octets, bool has_mentions)
{
        return mime_run(octets, ends, has_mentions ? LF | MENTION : LF);
}

/* ---- lines, as the caller sees them */

bool mime_lines_is_line_done(const struct mime_scan *scan)
{
        const struct mime_lines *lines = &scan->lines;
        return !scan->is_decoded && !mime_has_mentions(scan) &&
               (!lines->has_labels || (lines->state == MIME_LINES_SKIP && !lines->is_html));
}

bool mime_lines_are_fresh(const struct mime_scan *scan)
{
        return scan->lines.state == MIME_LINES_START && !scan->lines.in_domain;
}

/* The last letters of the text, in lower case, whatever stands among them; none where no label ends so. */
static struct span last_letters(struct span text, char *octets)
{
        size_t left = LABEL_END_MAX;

        for (size_t at = text.length; at > 0 && left > 0; at--) {
                char octet = text.at[at - 1];
                if (ascii_is_alpha(octet))
                        octets[--left] = (char)(octet | 0x20);
                else if (octet != '\0' && !is_between[(unsigned char)octet])
                        break;
                if (left == LABEL_END_MAX - 1 && !may_be_last(octets[left]))
                        return span_of(octets, 0);
        }
        return span_of(octets + left, LABEL_END_MAX - left);
}

bool mime_lines_is_label(struct span text)
{
        char octets[LABEL_END_MAX];
        struct span letters = last_letters(text, octets);

        return letters.length > 0 && label_ending(letters) != NULL;
}
