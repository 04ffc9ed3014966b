/* Sentences for people out of a line of the log: who sent what to whom, what came of it, why, and what the sender
 * can do. */
#pragma once

#include "workers/policy/occurrence.h"

enum story_kind {
        STORY_HAPPENED,
        STORY_SUPPOSED, /* the line is of a session that was only played */
        STORY_TAKEN,    /* the same, and the mail would be taken, whatever the line says */
};

/* Prints some lines. */
void story_print(const struct occurrence *occurrence, enum story_kind kind);
/* Prints a JSON value so that a terminal obeys nothing in it. */
void story_print_json(const json_t *value);
