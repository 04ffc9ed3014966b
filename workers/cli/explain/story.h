/* Sentences for people out of a line of the log: who sent what to whom, what came of it, why, and what the sender
 * can do. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

/* A reply in the line of a session. All of it is borrowed from the line. */
struct occurrence {
        const json_t *session;
        const json_t *transaction; /* NULL: outside of one */
        const json_t *recipient;   /* of the transaction's "rcpts"; NULL: it was about all of them, or none */
        const json_t *fault;       /* of the session's "syntax" or "greetings"; NULL: none */
};

/* Looks for the reply with this reject id, or the transaction with this id. */
bool story_find(const json_t *session, const char *id, struct occurrence *ret_occurrence);
/* The name of the check that stood against it; NULL: none did. */
const char *story_check(const struct occurrence *occurrence);
enum story_kind {
        STORY_HAPPENED,
        STORY_SUPPOSED, /* the line is of a session that was only played */
        STORY_TAKEN,    /* the same, and the mail would be taken, whatever the line says */
};

/* Prints some lines. */
void story_print(const struct occurrence *occurrence, enum story_kind kind);
/* Prints a JSON value so that a terminal obeys nothing in it. */
void story_print_json(const json_t *value);
