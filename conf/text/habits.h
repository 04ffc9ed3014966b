/* What people write who know another server, or another word; for conf/ only. */
#pragma once

#include "core/base/text.h"

/* Appends what serves for an option of Postfix (postconf(5)), in a few words behind a semicolon.
 * False, and nothing, for other keys. `text` may be NULL. */
bool habit_of_postfix(const char *key, struct text *text);
/* The mode that a word like "warn" or "reject" means, or NULL. */
const char *habit_of_mode(struct span word);
