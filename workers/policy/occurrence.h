/* One reply of this server as the log has it. All of it is borrowed from the line. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

struct occurrence {
        const json_t *session;     /* the line */
        const json_t *transaction; /* NULL: outside of one */
        const json_t *recipient;   /* of the transaction's "rcpts"; NULL: it was about all of them, or none */
        const json_t *fault;       /* of the session's "syntax" or "greetings"; NULL: none */
};

/* Looks for the reply with this reject id, or the transaction with this id. */
bool occurrence_find(const json_t *session, const char *id, struct occurrence *ret_occurrence);
/* What says what it was: of a recipient that was not taken, a fault of syntax, the transaction or the session. */
const json_t *occurrence_innermost(const struct occurrence *occurrence);
/* The verdict that was enforced and that gave this reply. NULL: a recipient's or a message's refusal may have come from
 * elsewhere, such as the store. */
const json_t *occurrence_verdict(const struct occurrence *occurrence);
/* "550 5.7.1"; NULL where the log has none. */
const char *occurrence_code(const struct occurrence *occurrence);
/* The name of the check that stood against it; NULL: none did. */
const char *occurrence_check(const struct occurrence *occurrence);
/* True for a code of 4xx or 5xx; false for NULL. */
bool occurrence_is_refusal(const char *code);
