/* The scripted store of senders. */
#include "tests/dialogue/senders.h"

#include "core/base/expect.h"

static struct sender_row *find(struct scripted_senders *state, const struct sender_key *key)
{
        for (size_t i = 0; i < state->row_count; i++)
                if (sender_key_equals(&state->rows[i].key, key))
                        return &state->rows[i];
        return NULL;
}

static enum fact look_up(struct scripted_senders *state, const struct sender_key *key,
                         struct sender_record *ret_record)
{
        const struct sender_row *row = find(state, key);

        *ret_record = (struct sender_record){0};
        if (state->mood == SENDER_FAILS)
                return FACT_FAILED;
        if (row == NULL)
                return FACT_ABSENT;
        *ret_record = row->record;
        return FACT_FOUND;
}

static enum fact ask(struct sender_source *source, const struct sender_key *key, uint64_t handle,
                     struct sender_record *ret_record)
{
        struct scripted_senders *state = (struct scripted_senders *)source;

        (void)handle;
        if (state->mood == SENDER_SILENT)
                return FACT_PENDING;
        if (state->answering == ANSWER_AT_ONCE)
                return look_up(state, key, ret_record);
        expect(state->pending_count < SENDER_PENDING_MAX);
        state->pending[state->pending_count++] = *key;
        return FACT_PENDING;
}

static void apply(struct sender_source *source, const struct sender_effect *effect)
{
        struct scripted_senders *state = (struct scripted_senders *)source;
        struct sender_row *row = find(state, &effect->key);
        bool is_new = row == NULL;

        expect(effect->text.length <= SENDER_TEXT_MAX);
        if (state->mood != SENDER_UP || (is_new && state->row_count == SENDER_RECORDS_MAX))
                return;
        if (is_new)
                row = &state->rows[state->row_count++];
        row->key = effect->key;
        row->text_length = effect->text.length;
        if (effect->text.length > 0)
                memcpy(row->text, effect->text.at, effect->text.length);
        sender_merge(&row->record, is_new, &effect->record);
}

static void tell(struct sender_source *source, struct span notice)
{
        struct scripted_senders *state = (struct scripted_senders *)source;

        expect(notice.length <= SENDER_TEXT_MAX);
        if (text_room(&state->told) <= notice.length)
                return;
        text_put(&state->told, notice);
        text_put_char(&state->told, '\n');
}

void scripted_senders_init(struct scripted_senders *state, enum answering answering)
{
        static struct sender_secret secret;
        static struct sender_placing placing = {.count = 1};
        static const uint8_t octets[SENDER_SECRET_SIZE] = "as in a store that chose one";

        sender_secret_set(&secret, octets);
        placing.shares[0].secret = &secret;
        *state = (struct scripted_senders){
            .source = {.ask = ask, .apply = apply, .tell = tell, .placing = &placing},
            .answering = answering};
        text_over(&state->told, state->told_octets, sizeof state->told_octets);
}

bool scripted_senders_next(struct scripted_senders *state, struct sender_key *ret_key, enum fact *ret_fact,
                           struct sender_record *ret_record)
{
        if (state->pending_count == 0)
                return false;
        size_t at = state->answering == ANSWER_LAST_FIRST ? state->pending_count - 1 : 0;
        *ret_key = state->pending[at];
        state->pending_count--;
        memmove(&state->pending[at], &state->pending[at + 1],
                (state->pending_count - at) * sizeof state->pending[0]);
        *ret_fact = look_up(state, ret_key, ret_record);
        return true;
}

const struct sender_row *scripted_senders_find(const struct scripted_senders *state, struct span text)
{
        for (size_t i = 0; i < state->row_count; i++)
                if (span_equals(span_of(state->rows[i].text, state->rows[i].text_length), text))
                        return &state->rows[i];
        return NULL;
}
