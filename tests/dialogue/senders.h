/* The store of senders for dialogue tests: a table that answers at once or later, fails or is silent. */
#pragma once

#include "core/senders/sender.h"
#include "tests/dialogue/dns.h"

#define STATE_RECORDS_MAX 256
#define STATE_PENDING_MAX 16

enum state_mood { STATE_UP, STATE_FAILS, STATE_SILENT };

struct state_row {
        struct state_key key;
        struct state_record record;
        char text[STATE_TEXT_MAX];
        size_t text_length;
};

struct scripted_state {
        struct state_source source; /* first */
        enum answering answering;
        enum state_mood mood;
        struct state_row rows[STATE_RECORDS_MAX];
        size_t row_count;
        struct state_key pending[STATE_PENDING_MAX];
        size_t pending_count;
        struct text told; /* the notices for other machines, a line each */
        char told_octets[8192];
};

void scripted_state_init(struct scripted_state *state, enum answering answering);
/* Takes the next question whose answer is due, with the answer. */
bool scripted_state_next(struct scripted_state *state, struct state_key *ret_key, enum fact *ret_fact,
                         struct state_record *ret_record);
/* The row whose text is this, or NULL. */
const struct state_row *scripted_state_find(const struct scripted_state *state, struct span text);
