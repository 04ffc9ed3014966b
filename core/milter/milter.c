/* The dialogue as a machine: what is owed, what comes, how long is waited, and how it ends. The table of states
 * says what that means in each of them. */
#include "core/milter/milter.h"

#include "core/milter/internal.h"

#include <assert.h>

#define LENGTH_OCTETS 4u

const struct milter_row milter_rows[MILTER_STATES] = {
#define STATE(name, octet, first, last, left_out, silent, answers, scope, patience)                          \
        [MILTER_STATE_##name] = {#name,                                                                      \
                                 octet,                                                                      \
                                 MILTER_STATE_##first,                                                       \
                                 MILTER_STATE_##last,                                                        \
                                 MILTER_STEP_##left_out,                                                     \
                                 MILTER_STEP_##silent,                                                       \
                                 answers,                                                                    \
                                 MILTER_FOR_##scope,                                                         \
                                 MILTER_PATIENCE_##patience},
#include "core/milter/states.def"
#undef STATE
};

#define STATE(name, octet, first, last, left_out, silent, answers, ...)                                      \
        static_assert(((octet) == 0) == (sizeof(answers) == 1), #name ": who is answered?");
#include "core/milter/states.def"
#undef STATE

const uint64_t milter_patience_most_ms[MILTER_PATIENCES] = {
#define PATIENCE(name, most_ms) [MILTER_PATIENCE_##name] = most_ms,
#include "core/milter/patience.def"
#undef PATIENCE
};

static const struct milter_row *row_of(const struct milter *milter)
{
        return &milter_rows[milter->stage];
}

bool milter_takes_step(const struct milter *milter)
{
        return !milter->is_owed && !milter->is_failing && milter->stage != MILTER_STATE_CLOSED;
}

/* ---- time ---------------------------------------------------------------------------------------------- */

static uint64_t earlier(uint64_t left, uint64_t right)
{
        return left < right ? left : right;
}

static bool is_in_content(const struct milter *milter)
{
        return milter->stage >= MILTER_STATE_HEADER && milter->stage <= MILTER_STATE_END;
}

void milter_set_deadline(struct milter *milter)
{
        const uint64_t *patience_ms = milter->terms->patience_ms;

        milter->deadline_ms = UINT64_MAX;
        if (milter->stage == MILTER_STATE_CLOSED)
                return;
        if (milter->is_owed)
                milter->deadline_ms = earlier(milter->since_ms + patience_ms[row_of(milter)->patience],
                                              milter->asked_ms + patience_ms[MILTER_PATIENCE_progress]);
        else if (milter->has_unsent)
                milter->deadline_ms = milter->since_ms + patience_ms[MILTER_PATIENCE_block];
        if (is_in_content(milter))
                milter->deadline_ms =
                    earlier(milter->deadline_ms, milter->begun_ms + patience_ms[MILTER_PATIENCE_content]);
}

void milter_sent(struct milter *milter, size_t left)
{
        milter->has_unsent = left > 0;
        if (!milter->is_owed)
                milter->since_ms = milter->now_ms;
        milter_set_deadline(milter);
}

/* ---- ends ---------------------------------------------------------------------------------------------- */

static void close_dialogue(struct milter *milter)
{
        milter->stage = MILTER_STATE_CLOSED;
        milter->is_owed = false;
        milter->edits = NULL;
}

void milter_fail(struct milter *milter, enum milter_failure failure, const char *why)
{
        if (milter->stage == MILTER_STATE_CLOSED)
                return;
        milter->failed_at = row_of(milter)->name;
        close_dialogue(milter);
        milter->is_failing = true;
        milter->failure = failure;
        milter->why = why;
}

void milter_quit(struct milter *milter, struct text *out)
{
        if (milter->stage == MILTER_STATE_CLOSED)
                return;
        milter_end_frame(out, milter_begin_frame(out, 'Q'));
        close_dialogue(milter);
        milter_set_deadline(milter);
}

/* What the caller is to know without another word of the filter. */
static enum milter_event next_event(struct milter *milter)
{
        if (milter->is_failing) {
                milter->is_failing = false;
                return MILTER_FAILED;
        }
        return milter->stage == MILTER_STATE_CLOSED ? MILTER_CLOSE : MILTER_WAITS;
}

static enum milter_event tell(struct milter *milter)
{
        milter_set_deadline(milter);
        return next_event(milter);
}

/* ---- steps --------------------------------------------------------------------------------------------- */

bool milter_begin_step(struct milter *milter, enum milter_state step)
{
        const struct milter_row *row = &milter_rows[step];

        expect(milter_takes_step(milter) && milter->stage >= row->first && milter->stage <= row->last);
        milter->stage = step;
        if (step <= MILTER_STATE_MAIL)
                milter->is_skipping = false;
        /* What held for the last message holds no more. */
        if (!milter_has_judged(milter) ||
            (step <= MILTER_STATE_MAIL && milter->judgement.scope == MILTER_FOR_MESSAGE))
                milter->judgement = (struct milter_judgement){.verdict = MILTER_CONTINUES};
        return !milter_has_judged(milter) && (milter->steps & row->left_out) == 0 &&
               (step != MILTER_STATE_BODY || !milter->is_skipping);
}

enum milter_event milter_end_step(struct milter *milter)
{
        if (!milter->has_unsent)
                milter->since_ms = milter->now_ms;
        milter->has_unsent = true;
        if ((milter->steps & row_of(milter)->silent) != 0)
                return milter_answered(milter);
        milter->is_owed = true;
        milter->asked_ms = milter->since_ms = milter->now_ms;
        milter_set_deadline(milter);
        return MILTER_WAITS;
}

enum milter_event milter_answered(struct milter *milter)
{
        milter->is_owed = false;
        if (milter->stage == MILTER_STATE_END) {
                milter->stage = MILTER_STATE_HELO;
                milter->edits = NULL;
        }
        milter_set_deadline(milter);
        return MILTER_ANSWERED;
}

void milter_begin(struct milter *milter, const struct milter_terms *terms, uint64_t now_ms, struct text *out)
{
        uint32_t offered = 0;

#define STEP(name, bits) offered |= (bits);
#include "core/milter/steps.def"
#undef STEP
        *milter = (struct milter){.terms = terms, .now_ms = now_ms, .stage = MILTER_STATE_NEW};
        (void)milter_begin_step(milter, MILTER_STATE_OPTIONS);
        size_t frame = milter_begin_frame(out, 'O');
        milter_put_u32(out, 6);
        milter_put_u32(out, terms->actions);
        milter_put_u32(out, offered);
        milter_end_frame(out, frame);
        (void)milter_end_step(milter);
}

/* ---- what the filter says ------------------------------------------------------------------------------ */

static uint32_t read_u32(const char *at)
{
        const unsigned char *octets = (const unsigned char *)at;
        return (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 | octets[3];
}

/* Why no frame of this length, or of this octet, can come now; NULL: it may. */
static const char *frame_fault(const struct milter *milter, uint32_t length, char octet)
{
        bool is_known = octet != '\0' && (octet == 'p' || strchr(row_of(milter)->answers, octet) != NULL);

        if (length == 0)
                return "an empty frame";
        if (!is_known)
                return "its answer is none to that command";
        if (length > (octet == 'b' ? MILTER_BODY_FRAME_MAX : MILTER_FRAME_MAX))
                return "its answer is too long";
        return NULL;
}

/* A new body is used as it comes, for it may be larger than what is kept of the input. */
static void hear_body(struct milter *milter, struct span *input)
{
        size_t length = input->length < milter->body_left ? input->length : milter->body_left;
        struct span piece = span_of(input->at, length);

        *input = span_skip(*input, length);
        milter->body_left -= (uint32_t)length;
        milter_take_body(milter, piece);
}

static bool hear_frame(struct milter *milter, struct span *input, enum milter_event *ret_event)
{
        if (input->length <= LENGTH_OCTETS)
                return false;
        uint32_t length = read_u32(input->at);
        char octet = input->at[LENGTH_OCTETS];
        const char *fault = frame_fault(milter, length, octet);
        if (fault != NULL) {
                milter_fail(milter, MILTER_FAILED_BY_FAULT, fault);
                return true;
        }
        if (octet != 'b' && input->length - LENGTH_OCTETS < length)
                return false;
        struct span data = span_of(input->at + LENGTH_OCTETS + 1, length - 1);
        *input = span_skip(*input, LENGTH_OCTETS + (octet == 'b' ? 1 : length));
        milter->since_ms = milter->now_ms;
        if (octet == 'b') {
                milter->body_left = length - 1;
                milter_take_body(milter, span_of(data.at, 0));
        } else if (octet != 'p') {
                *ret_event = milter_take_answer(milter, octet, data);
        }
        return true;
}

/* False: more octets are needed. */
static bool hear(struct milter *milter, struct span *input, enum milter_event *ret_event)
{
        if (!milter->is_owed)
                milter_fail(milter, MILTER_FAILED_BY_FAULT, "it speaks unasked");
        else if (milter->body_left > 0)
                hear_body(milter, input);
        else
                return hear_frame(milter, input, ret_event);
        return true;
}

enum milter_event milter_input(struct milter *milter, struct span *input)
{
        enum milter_event event = next_event(milter);
        while (event == MILTER_WAITS && input->length > 0 && hear(milter, input, &event))
                if (event == MILTER_WAITS)
                        event = next_event(milter);
        if (milter->stage == MILTER_STATE_CLOSED && input->length > 0)
                *input = span_skip(*input, input->length);
        milter_set_deadline(milter);
        return event;
}

/* ---- what else happens --------------------------------------------------------------------------------- */

enum milter_event milter_timeout(struct milter *milter)
{
        if (milter->now_ms >= milter->deadline_ms)
                milter_fail(milter, MILTER_FAILED_BY_TIMEOUT, "it took too long");
        return tell(milter);
}

enum milter_event milter_lost(struct milter *milter)
{
        milter_fail(milter, MILTER_FAILED_BY_CLOSE, "it closed the connection");
        return tell(milter);
}
