/* Sentences for people out of a line of the log: who sent what to whom, what came of it, why, and what the sender
 * can do. */
#pragma once

#include "core/policy/texts.h"
#include "workers/policy/occurrence.h"

enum story_kind {
        STORY_HAPPENED,
        STORY_SUPPOSED, /* the line is of a session that was only played */
        STORY_TAKEN,    /* the same, and the mail would be taken, whatever the line says */
};

enum story_outcome {
        STORY_IS_TAKEN,
        STORY_IS_REFUSED,
        STORY_IS_PUT_OFF,
        STORY_IS_SENT_AWAY,  /* before any mail */
        STORY_IS_OPEN,       /* the line is a piece; another one tells */
        STORY_IS_NOT_STORED, /* the session came to its end before the message */
};

/* Prints some lines. */
void story_print(const struct occurrence *occurrence, enum story_kind kind);
enum story_outcome story_outcome(const struct occurrence *occurrence, enum story_kind kind);
/* NULL: nothing is known that would help. */
const struct advice *story_advice(const struct occurrence *occurrence);
