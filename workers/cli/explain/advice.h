/* What people are told about a refusal: the texts of advice.def by the names that stand in the log. */
#pragma once

struct advice {
        const char *why;    /* goes on after "because" */
        const char *remedy; /* what the sender can do, in whole sentences */
};

/* Each returns NULL where nothing is known of the name, and for NULL. A reply without advice of its own has that of
 * its check where they share a name, or of the rule syntax where it belongs to that. */
const struct advice *advice_of_reply(const char *name);
const struct advice *advice_of_check(const char *name);
/* Of the word that a session's line has as "end". */
const struct advice *advice_of_ending(const char *name);
