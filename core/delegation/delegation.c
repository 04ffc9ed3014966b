/* The dialogue as a machine. The table of states says what happens in each of them. */
#include "core/delegation/delegation.h"

#include "core/delegation/action.h"

enum state_lost { LOST_FAILS, LOST_LEAVES };

/* A line without its LF. NULL, or why it can be none of an answer. */
static const char *delegation_line_read(struct delegation *delegation, struct span line, bool *ret_is_last);

static const struct row {
        const char *(*read)(struct delegation *delegation, struct span line, bool *ret_is_last);
        size_t input_max;
        enum delegation_patience patience;
        enum state_lost lost;
} rows[DELEGATION_STATES] = {
#define STATE(name, read, input_max, patience, lost)                                                         \
        [DELEGATION_STATE_##name] = {read, input_max, DELEGATION_PATIENCE_##patience, LOST_##lost},
#include "core/delegation/states.def"
#undef STATE
};

const uint64_t delegation_patience_most_ms[DELEGATION_PATIENCES] = {
#define PATIENCE(name, most_ms) [DELEGATION_PATIENCE_##name] = most_ms,
#include "core/delegation/patience.def"
#undef PATIENCE
};

static const struct row *row_of(const struct delegation *delegation)
{
        return &rows[delegation->state];
}

/* ---- states -------------------------------------------------------------------------------------------- */

static void set_state(struct delegation *delegation, enum delegation_state state)
{
        enum delegation_patience patience = rows[state].patience;

        delegation->state = state;
        delegation->deadline_ms = patience == DELEGATION_PATIENCE_never
                                      ? UINT64_MAX
                                      : delegation->now_ms + delegation->terms->patience_ms[patience];
}

static void fail(struct delegation *delegation, const char *why)
{
        set_state(delegation, DELEGATION_STATE_CLOSED);
        delegation->is_failing = true;
        delegation->why = why;
}

/* The service is gone, or we go. */
static void leave(struct delegation *delegation, const char *why)
{
        if (delegation->state == DELEGATION_STATE_CLOSED)
                return;
        if (row_of(delegation)->lost == LOST_FAILS)
                fail(delegation, why);
        else
                set_state(delegation, DELEGATION_STATE_CLOSED);
}

/* What the caller is to know without another word of the service. */
static enum delegation_event next_event(struct delegation *delegation)
{
        if (delegation->is_stopping && delegation->state == DELEGATION_STATE_REST)
                set_state(delegation, DELEGATION_STATE_CLOSED);
        if (delegation->is_failing) {
                delegation->is_failing = false;
                return DELEGATION_FAILED;
        }
        return delegation->state == DELEGATION_STATE_CLOSED ? DELEGATION_CLOSE : DELEGATION_WAITS;
}

void delegation_begin(struct delegation *delegation, const struct delegation_terms *terms, uint64_t now_ms)
{
        *delegation = (struct delegation){.terms = terms, .now_ms = now_ms, .begun_ms = now_ms};
        set_state(delegation, DELEGATION_STATE_REST);
}

/* ---- requests ------------------------------------------------------------------------------------------ */

bool delegation_takes_request(const struct delegation *delegation)
{
        return delegation->state == DELEGATION_STATE_REST && !delegation->is_stopping &&
               delegation->now_ms - delegation->begun_ms <
                   delegation->terms->patience_ms[DELEGATION_PATIENCE_lifetime];
}

static void put_attribute(struct text *out, const struct delegation_attribute *attribute)
{
        struct span value = attribute->value;

        text_put_string(out, attribute->name);
        text_put_char(out, '=');
        for (size_t i = 0; i < value.length; i++)
                text_put_char(out, ascii_is_control(value.at[i]) ? '?' : value.at[i]);
        text_put_char(out, '\n');
}

bool delegation_ask(struct delegation *delegation, const struct delegation_attribute *attributes,
                    size_t count, struct text *out)
{
        struct text request = *out;

        if (!delegation_takes_request(delegation))
                return false;
        for (size_t i = 0; i < count; i++)
                put_attribute(&request, &attributes[i]);
        text_put_char(&request, '\n');
        if (request.overflowed || request.length - out->length > DELEGATION_REQUEST_MAX)
                return false;
        *out = request;
        delegation->requests++;
        delegation->lines = 0;
        delegation->has_action = delegation->may_ask_again = false;
        set_state(delegation, DELEGATION_STATE_ASKED);
        return true;
}

/* ---- answers ------------------------------------------------------------------------------------------- */

/* Attributes of other names are of no use to us. */
static const char *delegation_line_read(struct delegation *delegation, struct span line, bool *ret_is_last)
{
        size_t sign = span_find(line, '=');

        *ret_is_last = line.length == 0;
        if (line.length == 0)
                return delegation->has_action ? NULL : "its answer has no action";
        if (sign == SIZE_MAX || sign == 0 || span_has_control(line))
                return "its answer is not well formed";
        if (++delegation->lines == DELEGATION_LINES_MAX)
                return "its answer has too many lines";
        if (!span_equals(span_of(line.at, sign), SPAN("action")))
                return NULL;
        if (delegation->has_action)
                return "its answer has two actions";
        delegation->has_action = true;
        return delegation_action_read(span_skip(line, sign + 1), &delegation->answer);
}

/* False: the line has not ended. */
static bool hear(struct delegation *delegation, struct span *input, enum delegation_event *ret_event)
{
        const struct row *row = row_of(delegation);
        size_t most = input->length < row->input_max ? input->length : row->input_max;
        size_t end = span_find(span_of(input->at, most), '\n');
        bool is_last = false;

        if (row->read == NULL || (end == SIZE_MAX && most == row->input_max)) {
                fail(delegation,
                     row->read == NULL ? "it speaks unasked" : "a line of its answer is too long");
                return true;
        }
        if (end == SIZE_MAX)
                return false;
        const char *fault = row->read(delegation, span_of(input->at, end), &is_last);
        *input = span_skip(*input, end + 1);
        if (fault != NULL) {
                fail(delegation, fault);
        } else if (is_last) {
                set_state(delegation, DELEGATION_STATE_REST);
                *ret_event = DELEGATION_ANSWERED;
        }
        return true;
}

enum delegation_event delegation_input(struct delegation *delegation, struct span *input)
{
        enum delegation_event event = next_event(delegation);

        while (event == DELEGATION_WAITS && input->length > 0 && hear(delegation, input, &event))
                if (event == DELEGATION_WAITS)
                        event = next_event(delegation);
        if (delegation->state == DELEGATION_STATE_CLOSED)
                *input = span_skip(*input, input->length);
        return event;
}

/* ---- what else happens --------------------------------------------------------------------------------- */

enum delegation_event delegation_timeout(struct delegation *delegation)
{
        if (delegation->now_ms >= delegation->deadline_ms)
                leave(delegation, "it took too long");
        return next_event(delegation);
}

enum delegation_event delegation_lost(struct delegation *delegation)
{
        delegation->may_ask_again =
            delegation->state == DELEGATION_STATE_ASKED && delegation->requests > 1 && delegation->lines == 0;
        leave(delegation, "it closed the connection");
        return next_event(delegation);
}

enum delegation_event delegation_stop(struct delegation *delegation, bool at_once)
{
        delegation->is_stopping = true;
        if (at_once)
                leave(delegation, "we are closing");
        return next_event(delegation);
}
