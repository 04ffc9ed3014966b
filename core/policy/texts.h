/* What people are told of checks and replies, in two languages. The texts of a check are in core/check/texts/CHECK.def,
 * those of single replies in core/policy/advice.def. */
#pragma once

#include "conf/snapshot.h"

/* The same in each language, as UTF-8. */
struct wording {
        const char *in[LANGUAGE_COUNT];
};

struct advice {
        struct wording why;    /* goes on after "Why: ", without a full stop */
        struct wording remedy; /* what the sender can do, in whole sentences */
};

struct check_texts {
        struct wording title;
        struct wording demand; /* what the rule is */
        struct wording reason; /* why there is such a rule */
        struct advice advice;  /* of a refusal by it */
};

/* Whose a reply is, beside those of checks. */
#define SUBJECT_SERVER  ((enum check_id)CHECK_COUNT) /* the server speaks of itself and of the session */
#define SUBJECT_PROXIES ((enum check_id)(CHECK_COUNT + 1)) /* who sends mail never sees it */

extern const struct check_texts check_texts[CHECK_COUNT];

/* Returns NULL for a reply that refuses nothing, and for REPLY_NONE. A reply without texts of its own has those of its
 * check. */
const struct advice *advice_of_reply(enum reply_id reply);
/* Returns the check that gives this reply, or a subject of the above. `reply` refuses something. */
enum check_id subject_of_reply(enum reply_id reply);
/* Of the word that a session's line in the log has as "end". Returns NULL where nothing is known of it, and for
 * NULL. */
const struct advice *advice_of_ending(const char *name);
