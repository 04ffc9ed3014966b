/* The dialogue as a machine: what is owed, what comes, how long is waited, and how it ends. The table of states
 * says what that means in each of them. */
#include "core/client/hop.h"

#include "core/client/connection.h"
#include "core/client/internal.h"

#include <assert.h>

struct state {
        const char *name;
        enum hop_event (*answered)(struct hop *hop, unsigned class, struct text *out);
        unsigned good, lines_max;
        enum hop_patience patience;
        enum hop_fate fate;
};

static const struct state states[HOP_STATES] = {
#define STATE(name, answered, good, lines_max, patience, fate)                                               \
        [HOP_STATE_##name] = {#name, answered, good, lines_max, HOP_PATIENCE_##patience, FATE_##fate},
#include "core/client/states.def"
#undef STATE
};

#define IS_NULL(pointer) __builtin_types_compatible_p(__typeof__(pointer), void *)
#define STATE(name, answered, good, lines_max, ...)                                                          \
        static_assert(IS_NULL(answered) == ((good) == 0 && (lines_max) == 0), #name ": who is answered?");
#include "core/client/states.def"
#undef STATE

const uint64_t hop_patience_most_ms[HOP_PATIENCES] = {
#define PATIENCE(name, most_ms) [HOP_PATIENCE_##name] = most_ms,
#include "core/client/patience.def"
#undef PATIENCE
};

enum hop_state hop_state(const struct hop *hop)
{
        return hop->owed_count > 0 ? hop->owed[hop->owed_first] : hop->resting;
}

enum hop_state hop_last_state(const struct hop *hop)
{
        return hop->owed_count > 0 ? hop->owed[(hop->owed_first + hop->owed_count - 1u) % HOP_WINDOW]
                                   : hop->resting;
}

static const struct state *state_of(const struct hop *hop)
{
        return &states[hop_state(hop)];
}

const char *hop_state_name(const struct hop *hop)
{
        return state_of(hop)->name;
}

/* ---- what is owed -------------------------------------------------------------------------------------- */

void hop_owe_again(struct hop *hop, enum hop_state state)
{
        expect(hop->owed_count < HOP_WINDOW);
        if (hop->owed_count == 0)
                hop->since_ms = hop->now_ms;
        hop->owed[(hop->owed_first + hop->owed_count) % HOP_WINDOW] = state;
        hop->owed_count++;
}

void hop_owe(struct hop *hop, enum hop_state state)
{
        hop_owe_again(hop, state);
        hop->unsent++;
        hop->has_unsent = true;
}

void hop_command(struct hop *hop, enum hop_state state, const char *command, struct text *out)
{
        text_put_string(out, command);
        text_put_string(out, "\r\n");
        hop_owe(hop, state);
}

static void take_owed(struct hop *hop)
{
        hop->owed_first = (uint8_t)((hop->owed_first + 1u) % HOP_WINDOW);
        hop->owed_count--;
        hop->since_ms = hop->now_ms;
}

/* ---- time ---------------------------------------------------------------------------------------------- */

/* Of what goes on for several answers, at the latest. */
static uint64_t last_deadline(const struct hop *hop)
{
        const uint64_t *patience_ms = hop->terms->patience_ms;
        uint64_t whole_ms = hop->begun_ms + patience_ms[HOP_PATIENCE_transaction];
        uint64_t answers_ms = patience_ms[HOP_PATIENCE_answers];

        if (hop_state(hop) != HOP_STATE_DOT)
                return whole_ms;
        if (answers_ms < patience_ms[HOP_PATIENCE_dot])
                answers_ms = patience_ms[HOP_PATIENCE_dot];
        return hop->dot_ms + answers_ms < whole_ms ? hop->dot_ms + answers_ms : whole_ms;
}

void hop_set_deadline(struct hop *hop)
{
        enum hop_patience patience = state_of(hop)->patience;
        const uint64_t *patience_ms = hop->terms->patience_ms;

        if (patience == HOP_PATIENCE_block && !hop->has_unsent)
                patience = HOP_PATIENCE_never;
        hop->deadline_ms =
            patience == HOP_PATIENCE_never ? UINT64_MAX : hop->since_ms + patience_ms[patience];
        if (hop->is_under_way && hop->deadline_ms > last_deadline(hop))
                hop->deadline_ms = last_deadline(hop);
}

void hop_sent(struct hop *hop, size_t left)
{
        hop->has_unsent = left > 0;
        /* Of those before the last nobody knows. */
        hop->unsent = left > 0 && hop->unsent > 0 ? 1 : 0;
        enum hop_state last = hop_last_state(hop);
        if (last == HOP_STATE_TEXT || last == HOP_STATE_DOT)
                hop->since_ms = hop->now_ms;
        hop_set_deadline(hop);
}

/* ---- ends ---------------------------------------------------------------------------------------------- */

void hop_settle(struct hop *hop, enum hop_fate fate)
{
        hop->is_settling = true;
        hop->rest = fate;
        hop->resting = HOP_STATE_REST;
}

void hop_close(struct hop *hop, enum hop_ending ending, enum hop_fate fate)
{
        if (hop->is_under_way && !hop->is_settling)
                hop_settle(hop, fate);
        hop->ending = ending;
        hop->owed_count = hop->unsent = 0;
        hop->resting = HOP_STATE_CLOSED;
}

void hop_fault(struct hop *hop, const char *why)
{
        reply_say(&hop->answer, hop->answer.state, why);
        hop_close(hop, HOP_ENDED_BY_FAULT, FATE_BROKEN);
}

/* Whoever breaks off, there is nothing to be said any more: in a text that would be text. */
static void break_off(struct hop *hop, enum hop_ending ending, const char *why)
{
        enum hop_fate fate = state_of(hop)->fate;

        if (hop->resting == HOP_STATE_CLOSED)
                return;
        reply_say(&hop->answer, hop_state_name(hop), why);
        hop_close(hop, hop_state(hop) == HOP_STATE_QUIT ? HOP_ENDED_BY_QUIT : ending, fate);
}

/* ---- what the caller is to know without another word of the hop ----------------------------------------- */

/* The connection is free for another transaction, if it is to have one. */
static enum hop_event finish(struct hop *hop, struct text *out)
{
        uint32_t transactions_max = hop->terms->transactions_max;

        if (hop->needs_reset) {
                hop->needs_reset = false;
                hop_command(hop, HOP_STATE_RSET, "RSET", out);
                return HOP_WAITS;
        }
        if (transactions_max > 0 && hop->transactions >= transactions_max) {
                hop_command(hop, HOP_STATE_QUIT, "QUIT", out);
                return HOP_WAITS;
        }
        hop->is_ready = true;
        return HOP_READY;
}

static enum hop_event next_event(struct hop *hop, struct text *out)
{
        if (hop->is_settling) {
                hop->fate = hop->rest;
                if (hop_take_open(hop, &hop->recipient))
                        return HOP_SETTLED;
                hop->is_settling = hop->is_under_way = false;
                hop->last = '\0';
                return HOP_OVER;
        }
        if (hop->resting == HOP_STATE_CLOSED)
                return HOP_CLOSE;
        if (hop->resting == HOP_STATE_REST && hop->owed_count == 0 && !hop->is_ready)
                return finish(hop, out);
        return HOP_WAITS;
}

/* To be returned by each call that the hop has not caused. */
static enum hop_event tell(struct hop *hop, struct text *out)
{
        enum hop_event event = next_event(hop, out);
        hop_set_deadline(hop);
        return event;
}

/* ---- what the hop says --------------------------------------------------------------------------------- */

/* Nobody was to be answered now. False: what comes can mean nothing at all. */
static bool hear_unasked(struct hop *hop)
{
        if (hop->owed_count > 0 ? hop->owed_count <= hop->unsent : hop->resting == HOP_STATE_HANDSHAKE) {
                break_off(hop, HOP_ENDED_BY_FAULT,
                          hop->owed_count > 0 ? "it answers what it was not asked yet"
                                              : "octets follow its reply to STARTTLS");
                return false;
        }
        if (hop->owed_count == 0 && hop->resting != HOP_STATE_INTERRUPTED) {
                hop->resting = HOP_STATE_INTERRUPTED;
                hop->since_ms = hop->now_ms;
        }
        return true;
}

static enum hop_event answer(struct hop *hop, struct text *out)
{
        const struct state *state = state_of(hop);
        unsigned class = hop->answer.code / 100;

        if (class != state->good && class < 4) {
                break_off(hop, HOP_ENDED_BY_FAULT, "its reply is none to that command");
                return HOP_WAITS;
        }
        bool is_dot = hop_state(hop) == HOP_STATE_DOT;
        if (hop->owed_count > 0)
                take_owed(hop);
        if (hop->answer.code == 421 && !is_dot) {
                hop_close(hop, HOP_ENDED_BY_CLOSE, FATE_BROKEN);
                return HOP_WAITS;
        }
        return state->answered(hop, class, out);
}

/* False: more octets are needed. */
static bool take_line(struct hop *hop, struct span *input, struct text *out, enum hop_event *ret_event)
{
        struct span text;

        *ret_event = HOP_WAITS;
        if (!hear_unasked(hop))
                return true;
        bool is_first = hop->reader.lines == 0;
        hop->answer.state = hop_state_name(hop);
        enum reply_step step = reply_read(&hop->reader, state_of(hop)->lines_max, input, &hop->answer, &text);
        if (step == REPLY_UNENDED)
                return false;
        if (step == REPLY_BAD)
                break_off(hop, HOP_ENDED_BY_FAULT, text.at);
        else if (hop_state(hop) == HOP_STATE_EHLO && !is_first && hop->answer.code / 100 == 2)
                hop_read_offer(hop, text);
        if (step == REPLY_WHOLE)
                *ret_event = answer(hop, out);
        return true;
}

enum hop_event hop_input(struct hop *hop, struct span *input, struct text *out)
{
        enum hop_event event = next_event(hop, out);

        while (event == HOP_WAITS && input->length > 0 && take_line(hop, input, out, &event))
                if (event == HOP_WAITS)
                        event = next_event(hop, out);
        if (hop->resting == HOP_STATE_CLOSED && input->length > 0)
                *input = span_skip(*input, input->length);
        hop_set_deadline(hop);
        return event;
}

/* ---- what else happens --------------------------------------------------------------------------------- */

void hop_begin(struct hop *hop, const struct hop_terms *terms, uint64_t now_ms)
{
        *hop = (struct hop){.terms = terms, .now_ms = now_ms, .resting = HOP_STATE_REST};
        hop_owe_again(hop, HOP_STATE_GREETING);
        hop_set_deadline(hop);
}

enum hop_event hop_timeout(struct hop *hop, struct text *out)
{
        if (hop->now_ms >= hop->deadline_ms)
                break_off(hop, HOP_ENDED_BY_TIMEOUT, "it took too long");
        return tell(hop, out);
}

enum hop_event hop_lost(struct hop *hop, struct text *out)
{
        break_off(hop, HOP_ENDED_BY_CLOSE, "it closed the connection");
        return tell(hop, out);
}
