/* Pieces of a mail, joined by its id. */
#include "workers/cli/explain/pieces.h"

#include <string.h>

static void take_earlier(struct pieces *pieces, const char *id, json_t *transaction)
{
        const json_t *alone = json_object_get(pieces->open, id);
        const json_t *before = json_array_get(json_object_get(alone, "transactions"), 0);
        json_t *recipients = json_object_get(before, "rcpts");

        if (recipients == NULL)
                return;
        json_array_extend(recipients, json_object_get(transaction, "rcpts"));
        json_object_set(transaction, "rcpts", recipients);
        json_object_del(transaction, "rcpts_before");
        json_object_del(pieces->open, id);
}

static void hold(struct pieces *pieces, json_t *line, const char *id, json_t *transaction)
{
        json_t *alone = json_copy(line), *transactions = json_array();

        if (pieces->open == NULL)
                pieces->open = json_object();
        json_array_append(transactions, transaction);
        json_object_set_new(alone, "transactions", transactions);
        json_object_set_new(pieces->open, id, alone);
}

bool pieces_join(struct pieces *pieces, json_t *line, const char *id)
{
        json_t *transactions = json_object_get(line, "transactions");
        bool has_taken = false;

        for (size_t i = 0; i < json_array_size(transactions); i++) {
                json_t *transaction = json_array_get(transactions, i);
                const char *its_id = json_string_value(json_object_get(transaction, "id"));
                if (its_id == NULL || (id != NULL && strcmp(its_id, id) != 0))
                        continue;
                take_earlier(pieces, its_id, transaction);
                if (!json_is_true(json_object_get(transaction, "continued")))
                        continue;
                hold(pieces, line, its_id, transaction);
                json_array_remove(transactions, i--);
                has_taken = true;
        }
        return has_taken;
}

void pieces_end(struct pieces *pieces)
{
        json_decref(pieces->open);
        pieces->open = NULL;
}
