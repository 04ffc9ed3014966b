/* Running text: lines that begin like fields with message ids, as they stand in copies of a header, quoted,
 * indented or turned into HTML as they may be; and domains behind an "@". */
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

static const struct label *label_of(const struct mime_lines *lines)
{
        struct span whole = span_of(lines->label, lines->label_length);

        for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++)
                if (span_ends_nocase(whole, labels[i].end))
                        return &labels[i];
        return NULL;
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
        } else if (octet == '\n' || octet == '>' || (unsigned char)octet >= 0x80 ||
                   (octet == ';' && lines->is_html)) {
                lines->state = MIME_LINES_START;
        } else {
                lines->state = MIME_LINES_SKIP;
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

static enum mime_step value_octet(struct mime_scan *scan, char octet)
{
        struct mime_lines *lines = &scan->lines;

        if (octet == '\r')
                return MIME_STEP_NONE;
        if (octet == '\n' && is_in_tag(&scan->ids))
                octet = ' ';
        enum mime_step step = octet == '\n' ? mime_ids_line_end(scan) : mime_ids_octet(scan, octet);
        lines->has_found = lines->has_found || step == MIME_STEP_REFERENCE;
        if (scan->ids.is_over || (lines->has_found && !lines->has_many)) {
                value_end(lines, octet);
        } else if (octet == '\n') {
                lines->state = MIME_LINES_FOLD;
                lines->is_indented = false;
        }
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

static enum mime_step fold_octet(struct mime_scan *scan, char octet)
{
        struct mime_lines *lines = &scan->lines;

        if (mime_is_blank(octet) || octet == '\r' || octet == '|' || (octet == '>' && !lines->is_html)) {
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

static enum mime_step line_octet(struct mime_scan *scan, char octet)
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

/* ---- mentions */

static enum mime_step mention_octet(struct mime_scan *scan, char octet)
{
        struct mime_lines *lines = &scan->lines;
        bool is_name = mime_is_domain_octet(octet);

        if (lines->in_domain && is_name && scan->value_length < MIME_VALUE_MAX) {
                scan->value[scan->value_length++] = octet;
                return MIME_STEP_NONE;
        }
        bool has_ended = lines->in_domain && !is_name && scan->value_length > 0;
        if (has_ended) /* it stays readable until the next octet */
                scan->reference = span_of(scan->value, scan->value_length);
        lines->in_domain = octet == '@';
        scan->value_length = 0;
        return has_ended && !lines->in_domain ? MIME_STEP_MENTION : MIME_STEP_NONE;
}

bool mime_has_mentions(const struct mime_scan *scan)
{
        return scan->lines.has_mentions && scan->wants_mentions;
}

static bool is_in_value(const struct mime_lines *lines)
{
        return lines->state == MIME_LINES_VALUE || lines->state == MIME_LINES_FOLD;
}

/* ---- octets */

static enum mime_step text_octet(struct mime_scan *scan, char octet)
{
        struct mime_lines *lines = &scan->lines;
        enum mime_step step = MIME_STEP_NONE, mention = MIME_STEP_NONE;

        if ((lines->in_domain || octet == '@') && mime_has_mentions(scan) && !is_in_value(lines))
                mention = mention_octet(scan, octet);
        if (lines->has_labels)
                step = line_octet(scan, octet);
        return step == MIME_STEP_NONE ? mention : step;
}

/* Nothing but these matters to a line in which no label can begin. */
static const bool is_end[256] = {['\n'] = true, ['>'] = true, ['@'] = true};

static bool is_skipping(const struct mime_lines *lines)
{
        return (lines->state == MIME_LINES_SKIP || !lines->has_labels) && !lines->in_domain;
}

/* The octets at the front of what is not encoded that matter to nobody. */
static size_t dull_octets(const struct mime_scan *scan, struct span input)
{
        size_t at = 0;

        if (scan->is_decoded || !is_skipping(&scan->lines))
                return 0;
        while (at < input.length && !is_end[(unsigned char)input.at[at]])
                at++;
        return at;
}

/* In a value, what stands between ids at the front. */
static size_t between_ids(struct mime_scan *scan, struct span input)
{
        size_t at = 0;

        if (scan->is_decoded || scan->lines.state != MIME_LINES_VALUE)
                return 0;
        if (scan->ids.state != MIME_IDS_BETWEEN || scan->ids.word != MIME_WORD_NONE || scan->ids.is_over)
                return 0;
        while (at < input.length &&
               (input.at[at] == ';' || input.at[at] == ',' || mime_is_blank(input.at[at])))
                at++;
        if (at > 0)
                scan->ids.is_behind_blank = mime_is_blank(input.at[at - 1]);
        return at;
}

enum mime_step mime_lines_read(struct mime_scan *scan, struct span *input)
{
        const struct mime_lines *lines = &scan->lines;
        enum mime_step step = MIME_STEP_NONE;
        size_t at = 0;
        char came = '\0';

        while (step == MIME_STEP_NONE && came != '\n' && !mime_is_spent(scan)) {
                at += dull_octets(scan, span_skip(*input, at));
                at += between_ids(scan, span_skip(*input, at));
                if (at == input->length)
                        break;
                char octet = came = input->at[at++];
                if (scan->is_decoded && !mime_is_literal(&scan->decoder, octet) &&
                    !mime_decode(&scan->decoder, &octet))
                        continue;
                /* UTF-16 is ASCII with NUL octets between. */
                if (octet != '\0' && (!is_skipping(lines) || is_end[(unsigned char)octet]))
                        step = text_octet(scan, octet);
        }
        *input = span_skip(*input, at);
        return step;
}

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

/* The text ends with these letters, whatever may stand among them. */
static bool ends_in_letters(struct span text, struct span letters)
{
        size_t left = letters.length;

        for (size_t at = text.length; at > 0 && left > 0; at--) {
                char octet = text.at[at - 1];
                if (ascii_lower(octet) == letters.at[left - 1])
                        left--;
                else if (octet != '\0' && !is_between[(unsigned char)octet])
                        return false;
        }
        return left == 0;
}

/* All labels end in one of these. */
static bool may_end_label(struct span text)
{
        size_t at = text.length;

        while (at > 0 && (text.at[at - 1] == '\0' || is_between[(unsigned char)text.at[at - 1]]))
                at--;
        char last = at == 0 ? '\0' : ascii_lower(text.at[at - 1]);
        return last == 'd' || last == 'o' || last == 's';
}

bool mime_lines_is_label(struct span text)
{
        if (!may_end_label(text))
                return false;
        for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++)
                if (ends_in_letters(text, labels[i].end))
                        return true;
        return false;
}
