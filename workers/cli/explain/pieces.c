/* Pieces of a mail, joined by its id. */
#include "workers/cli/explain/pieces.h"

#include <string.h>

static json_int_t number_of(const json_t *transaction, const char *key)
{
        return json_integer_value(json_object_get(transaction, key));
}

/* Gives the piece what is known of the mail from those before it. Where some of these are in no file any more, their
 * recipients count as omitted. False: its recipients are known already, so that it is the copy of a piece. */
static bool take_earlier(struct pieces *pieces, const char *id, json_t *transaction)
{
        const json_t *alone = json_object_get(pieces->open, id);
        const json_t *before = json_array_get(json_object_get(alone, "transactions"), 0);
        json_t *recipients = json_object_get(before, "rcpts");
        json_int_t omitted = number_of(before, "rcpts_omitted");
        json_int_t missing =
            number_of(transaction, "rcpts_before") - omitted - (json_int_t)json_array_size(recipients);

        if (missing < 0)
                return false;
        omitted += missing + number_of(transaction, "rcpts_omitted");
        if (omitted > 0)
                json_object_set_new(transaction, "rcpts_omitted", json_integer(omitted));
        json_object_del(transaction, "rcpts_before");
        if (recipients != NULL) {
                json_array_extend(recipients, json_object_get(transaction, "rcpts"));
                json_object_set(transaction, "rcpts", recipients);
                json_object_del(pieces->open, id);
        }
        return true;
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
                bool is_continued = json_is_true(json_object_get(transaction, "continued"));
                bool is_news = take_earlier(pieces, its_id, transaction);
                if (is_news && !is_continued)
                        continue;
                if (is_news)
                        hold(pieces, line, its_id, transaction);
                json_array_remove(transactions, i--);
                has_taken = true;
        }
        return has_taken;
}

/* It tells what became of a mail later on, maybe days. */
static bool is_of_journal(const json_t *line)
{
        const char *event = json_string_value(json_object_get(line, "event"));

        return event != NULL && strncmp(event, "journal_", strlen("journal_")) == 0;
}

bool pieces_are_whole(const json_t *lines, const char *id)
{
        for (size_t i = 0; i < json_array_size(lines); i++) {
                const json_t *transactions = json_object_get(json_array_get(lines, i), "transactions");
                for (size_t j = 0; j < json_array_size(transactions); j++) {
                        const json_t *transaction = json_array_get(transactions, j);
                        const char *its_id = json_string_value(json_object_get(transaction, "id"));
                        if (its_id != NULL && strcmp(its_id, id) == 0)
                                return number_of(transaction, "rcpts_before") == 0;
                }
        }
        for (size_t i = 0; i < json_array_size(lines); i++)
                if (!is_of_journal(json_array_get(lines, i)))
                        return true;
        return false;
}

void pieces_end(struct pieces *pieces)
{
        json_decref(pieces->open);
        pieces->open = NULL;
}
