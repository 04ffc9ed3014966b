/* Doubles dots, and lets no line end out that is not CRLF. */
#include "core/client/text.h"

#include "core/client/internal.h"
#include "core/mail/leap.h"

#define MEND_STEP 32

/* An octet that does not go as it is: a CR or LF without the other, and a dot behind a LF. Each octet is seen with
 * the next. */
static leap_octets matters(const char *at)
{
        leap_octets octets = leap_load(at), next = leap_load(at + 1);
        return (leap_is(octets, '\r') ^ leap_is(next, '\n')) | (leap_is(octets, '\n') & leap_is(next, '.'));
}

static bool pair_matters(const char *at)
{
        return (at[0] == '\r') != (at[1] == '\n') || (at[0] == '\n' && at[1] == '.');
}

/* How many octets at the front go as they are, where the first does not depend on what was before. A CR that may
 * be bare is left for later. */
static size_t plain_length(struct span text)
{
        size_t length = 0;

        if (text.length == 0 || text.at[0] == '\n')
                return 0;
        while (length + LEAP_STEP < text.length && !leap_any(matters(text.at + length)))
                length += LEAP_STEP;
        while (length + 1 < text.length && !pair_matters(text.at + length))
                length++;
        return text.at[length] == '\r' ? length : length + 1;
}

/* The front octet by octet, where one may matter. More than that one, so that a flood of them does not cost a search
 * for each. */
static void mend(struct hop *hop, struct span *text, struct text *out)
{
        size_t most = text->length < MEND_STEP ? text->length : MEND_STEP, at = 0;
        char *to = out->at + out->length, *last_place = out->at + out->size - 1;
        char last = hop->last;

        while (at < most && to < last_place) {
                char octet = text->at[at];
                if (last == '\r' && octet != '\n') {
                        *to++ = last = ' ';
                        continue;
                }
                if (octet == '\n')
                        *to++ = '\r';
                else if (octet == '.' && last == '\n')
                        *to++ = '.';
                if (octet != '\r')
                        *to++ = octet;
                last = octet;
                at++;
        }
        hop->last = last;
        out->length = (size_t)(to - out->at);
        *text = span_skip(*text, at);
}

void hop_text(struct hop *hop, struct span *text, struct text *out)
{
        size_t before = out->length;

        while (hop_is_texting(hop) && text->length > 0 && text_room(out) >= 2) {
                struct span front =
                    span_of(text->at, text->length < text_room(out) ? text->length : text_room(out));
                bool depends = hop->last == '\r' || (hop->last == '\n' && text->at[0] == '.');
                size_t plain = depends ? 0 : plain_length(front);
                if (plain == 0) {
                        mend(hop, text, out);
                        continue;
                }
                text_put(out, span_of(text->at, plain));
                hop->last = text->at[plain - 1];
                *text = span_skip(*text, plain);
        }
        if (out->length > before && !hop->has_unsent) {
                hop->has_unsent = true;
                hop->since_ms = hop->now_ms;
        }
        hop_set_deadline(hop);
}

bool hop_dot(struct hop *hop, struct text *out)
{
        if (!hop_is_texting(hop))
                return false;
        if (hop->last != '\n')
                text_put_string(out, hop->last == '\r' ? " \r\n" : "\r\n");
        hop_command(hop, HOP_STATE_DOT, ".", out);
        hop->dot_ms = hop->now_ms;
        hop_set_deadline(hop);
        return true;
}
