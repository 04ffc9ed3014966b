/* What people write who know another server, or another word; for conf/ only. */
#pragma once

#include "core/base/text.h"

/* What serves for an option of Postfix (postconf(5)), in a few words, or NULL. */
const char *habit_of_postfix(const char *key);
/* The mode that a word like "warn" or "reject" means, or NULL. */
const char *habit_of_mode(struct span word);
