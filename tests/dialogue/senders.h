/* The store of senders for dialogue tests: a table that answers at once or later, fails or is silent. */
#pragma once

#include "core/senders/sender.h"
#include "tests/dialogue/dns.h"

#define SENDER_RECORDS_MAX 256
#define SENDER_PENDING_MAX 16

enum sender_mood { SENDER_UP, SENDER_FAILS, SENDER_SILENT };

struct sender_row {
        struct sender_key key;
        struct sender_record record;
        char text[SENDER_TEXT_MAX];
        size_t text_length;
};

struct scripted_senders {
        struct sender_source source; /* first */
        enum answering answering;
        enum sender_mood mood;
        struct sender_row rows[SENDER_RECORDS_MAX];
        size_t row_count;
        struct sender_key pending[SENDER_PENDING_MAX];
        size_t pending_count;
        struct text told; /* the notices for other machines, a line each */
        char told_octets[8192];
};

void scripted_senders_init(struct scripted_senders *state, enum answering answering);
/* Takes the next question whose answer is due, with the answer. */
bool scripted_senders_next(struct scripted_senders *state, struct sender_key *ret_key, enum fact *ret_fact,
                           struct sender_record *ret_record);
/* The row whose text is this, or NULL. */
const struct sender_row *scripted_senders_find(const struct scripted_senders *state, struct span text);
