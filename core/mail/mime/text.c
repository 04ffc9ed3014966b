/* The octets of running text, decoded, in runs that change little: for lines.c; and domains behind an "@". */
#include "core/mail/mime/internal.h"

#define DECODED_MAX 128 /* octets that are decoded at once */

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
                step = mime_lines_octet(scan, octet);
        return step == MIME_STEP_NONE ? mention : step;
}

/* ---- many at once: the same, in fewer steps */

/* Behind an "@", or in a name, while no label can begin. A name that ends at the next "@" is no mention. */
static size_t domain_run(struct mime_scan *scan, struct span octets)
{
        const struct mime_lines *lines = &scan->lines;
        bool is_skipping = !lines->has_labels || lines->state == MIME_LINES_SKIP;
        size_t at = 0, length = scan->value_length;

        if (!is_skipping && lines->state != MIME_LINES_START)
                return 0;
        for (; at < octets.length && length < MIME_VALUE_MAX; at++) {
                char octet = octets.at[at];
                if (octet == '@') {
                        length = 0;
                        continue;
                }
                if (!mime_is_domain_octet(octet) || (!is_skipping && ascii_is_alpha(octet)))
                        break;
                scan->value[length++] = octet;
        }
        scan->value_length = (uint16_t)length;
        return at;
}

/* Takes what there is of a run at the front. */
static enum mime_step take_run(struct mime_scan *scan, struct span *octets, bool is_line)
{
        const struct mime_lines *lines = &scan->lines;
        bool has_mentions = mime_has_mentions(scan);

        if (has_mentions && lines->in_domain && !is_in_value(lines)) {
                *octets = span_skip(*octets, domain_run(scan, *octets));
                return MIME_STEP_NONE;
        }
        if (!lines->has_labels) {
                *octets = span_skip(*octets, mime_unlabelled_run(*octets, has_mentions));
                return MIME_STEP_NONE;
        }
        return lines->state == MIME_LINES_VALUE ? mime_lines_value(scan, octets)
                                                : mime_lines_run(scan, octets, has_mentions, is_line);
}

/* `is_line`: only to the end of the line. */
static enum mime_step read_octets(struct mime_scan *scan, struct span *octets, bool is_line)
{
        enum mime_step step = MIME_STEP_NONE;
        char octet = '\0';

        while (octets->length > 0 && !mime_is_spent(scan) && !(is_line && octet == '\n')) {
                step = take_run(scan, octets, is_line);
                if (step != MIME_STEP_NONE || octets->length == 0 || mime_is_spent(scan))
                        break;
                octet = octets->at[0];
                *octets = span_of(octets->at + 1, octets->length - 1);
                if (octet != '\0') /* UTF-16 is ASCII with NUL octets between. */
                        step = text_octet(scan, octet);
                if (step != MIME_STEP_NONE)
                        break;
        }
        return step;
}

/* Where an event stops the reading, what stands behind it is not decoded yet. */
static enum mime_step read_encoded(struct mime_scan *scan, struct span *input)
{
        struct mime_decoder before = scan->decoder;
        char octets[DECODED_MAX];
        struct span rest = *input;
        size_t length = mime_decode_some(&scan->decoder, &rest, octets, sizeof octets, scan->depth > 0);
        struct span decoded = span_of(octets, length);
        enum mime_step step = read_octets(scan, &decoded, false);

        if (decoded.length > 0) {
                scan->decoder = before;
                rest = *input;
                mime_decode_some(&scan->decoder, &rest, octets, length - decoded.length, scan->depth > 0);
        }
        *input = rest;
        return step;
}

enum mime_step mime_lines_read(struct mime_scan *scan, struct span *input)
{
        enum mime_step step = MIME_STEP_NONE;

        if (!scan->is_decoded)
                return read_octets(scan, input, true);
        do {
                step = read_encoded(scan, input);
        } while (step == MIME_STEP_NONE && input->length > 0 && !mime_is_spent(scan) &&
                 input->at[-1] != '\n');
        return step;
}
