/* Encoded words (RFC 2047) in a value with message ids, of any charset that has ASCII in it; and the reading of such a
 * value. */
#include "core/mail/line.h"
#include "core/mail/mime/internal.h"

#define CODED_MAX 64 /* octets of a word that are decoded at once */

static enum mime_step word_text_octet(struct mime_scan *scan, char octet)
{
        struct mime_ids *ids = &scan->ids;

        if (mime_is_blank(octet)) {
                ids->word = MIME_WORD_NONE;
                return mime_id_octet(scan, octet);
        }
        if (octet == '_' && ids->word_decoder.encoding == MIME_ENCODING_QUOTED)
                octet = ' ';
        if (!mime_decode(&ids->word_decoder, &octet))
                return MIME_STEP_NONE;
        return mime_id_octet(scan, octet == '\r' || octet == '\n' ? ' ' : octet);
}

/* Behind "=?CHARSET?": one that nobody knows is left out. */
static void word_encoding(struct mime_scan *scan, char octet)
{
        struct mime_ids *ids = &scan->ids;
        char lower = ascii_lower(octet);

        mime_spend(scan);
        mime_decode_begin(&ids->word_decoder, lower == 'b' ? MIME_ENCODING_BASE64 : MIME_ENCODING_QUOTED);
        ids->word = lower == 'b' || lower == 'q' ? MIME_WORD_MARK : MIME_WORD_NONE;
}

static enum mime_step word_octet(struct mime_scan *scan, char octet)
{
        struct mime_ids *ids = &scan->ids;

        switch (ids->word) {
        case MIME_WORD_CHARSET:
                ids->word = octet == '?'           ? MIME_WORD_ENCODING
                            : mime_is_blank(octet) ? MIME_WORD_NONE
                                                   : MIME_WORD_CHARSET;
                break;
        case MIME_WORD_ENCODING:
                word_encoding(scan, octet);
                break;
        case MIME_WORD_MARK:
                ids->word = octet == '?' ? MIME_WORD_TEXT : MIME_WORD_NONE;
                break;
        case MIME_WORD_TEXT:
                if (octet != '?')
                        return word_text_octet(scan, octet);
                ids->word = MIME_WORD_END;
                break;
        case MIME_WORD_END:
                ids->word = octet == '=' ? MIME_WORD_NONE : MIME_WORD_TEXT;
                ids->is_behind_blank = octet == '=';
                return octet == '=' ? MIME_STEP_NONE : word_text_octet(scan, octet);
        case MIME_WORD_NONE:
        case MIME_WORD_EQUALS:
                break;
        }
        return MIME_STEP_NONE;
}

enum mime_step mime_ids_octet(struct mime_scan *scan, char octet)
{
        struct mime_ids *ids = &scan->ids;
        bool may_begin = ids->state == MIME_IDS_BETWEEN || ids->state == MIME_IDS_BRACKET;

        if (ids->word > MIME_WORD_EQUALS)
                return word_octet(scan, octet);
        if (ids->word == MIME_WORD_EQUALS) {
                ids->word = octet == '?' ? MIME_WORD_CHARSET : MIME_WORD_NONE;
                if (octet == '?')
                        return MIME_STEP_NONE;
                mime_id_octet(scan, '='); /* it is kept, and ends nothing */
        } else if (octet == '=' && ids->is_behind_blank && may_begin) {
                ids->word = MIME_WORD_EQUALS;
                return MIME_STEP_NONE;
        }
        return mime_id_octet(scan, octet);
}

/* ---- many at once: the same, in fewer steps */

/* What follows belongs to another step, or to nobody. */
static bool is_stopped(const struct mime_scan *scan, enum mime_step step)
{
        return step != MIME_STEP_NONE || (scan->ids.is_over && scan->ids.in != MIME_IDS_IN_FIELD) ||
               mime_is_spent(scan);
}

/* Returns how many of the octets, which are decoded, were used. */
static size_t read_decoded(struct mime_scan *scan, struct span octets, enum mime_step *ret_step)
{
        size_t at = 0;

        while (at < octets.length && !is_stopped(scan, *ret_step)) {
                at += mime_id_run(scan, span_of(octets.at + at, octets.length - at));
                if (at < octets.length)
                        *ret_step = mime_id_octet(scan, octets.at[at++]);
        }
        return at;
}

static bool is_word_text(char octet)
{
        return octet != '?' && octet != '\0' && !mime_is_blank(octet) && !line_is_end(octet);
}

/* Long enough for what its reading takes. */
static bool is_long_text(struct span input)
{
        return input.length > 2 && is_word_text(input.at[0]) && is_word_text(input.at[1]) &&
               is_word_text(input.at[2]);
}

/* As it came, with what an underscore stands for. */
static struct span coded_text(struct span input, bool is_quoted, char *octets)
{
        size_t length = 0, most = input.length < CODED_MAX ? input.length : CODED_MAX;

        for (; length < most && is_word_text(input.at[length]); length++)
                octets[length] = is_quoted && input.at[length] == '_' ? ' ' : input.at[length];
        return span_of(octets, length);
}

/* Within the text of a word. Where an octet stops the reading, what stands behind it is not decoded yet. */
static enum mime_step read_word_text(struct mime_scan *scan, struct span *input)
{
        struct mime_decoder *decoder = &scan->ids.word_decoder, before = *decoder;
        char coded[CODED_MAX], octets[CODED_MAX];
        struct span text = coded_text(*input, decoder->encoding == MIME_ENCODING_QUOTED, coded), rest = text;
        size_t length = mime_decode_some(decoder, &rest, octets, sizeof octets, false);
        enum mime_step step = MIME_STEP_NONE;

        for (size_t i = 0; i < length; i++)
                octets[i] = line_is_end(octets[i]) ? ' ' : octets[i];
        size_t used = read_decoded(scan, span_of(octets, length), &step);
        if (is_stopped(scan, step)) {
                *decoder = before;
                rest = text;
                mime_decode_some(decoder, &rest, octets, used, false);
        }
        *input = span_skip(*input, text.length - rest.length);
        return step;
}

/* From the charset to the mark behind the encoding, which come to nothing yet. */
static void read_word_begin(struct mime_scan *scan, struct span *input)
{
        size_t at = 0;

        while (at < input->length && scan->ids.word > MIME_WORD_EQUALS && scan->ids.word < MIME_WORD_TEXT &&
               input->at[at] != '\0' && !line_is_end(input->at[at]))
                word_octet(scan, input->at[at++]);
        *input = span_of(input->at + at, input->length - at);
}

enum mime_step mime_ids_read(struct mime_scan *scan, struct span *input)
{
        struct mime_ids *ids = &scan->ids;
        enum mime_step step = MIME_STEP_NONE;

        while (input->length > 0 && !is_stopped(scan, step)) {
                if (ids->word == MIME_WORD_NONE)
                        *input = span_skip(*input, mime_id_run(scan, *input));
                else if (ids->word != MIME_WORD_EQUALS)
                        read_word_begin(scan, input);
                if (input->length == 0 || input->at[0] == '\0' || line_is_end(input->at[0]))
                        break;
                if (ids->word == MIME_WORD_TEXT && is_long_text(*input)) {
                        step = read_word_text(scan, input);
                        continue;
                }
                step = mime_ids_octet(scan, input->at[0]);
                *input = span_skip(*input, 1);
        }
        return step;
}
