/* What each check keeps of a transaction for itself, from one recipient to the next and from its verdict to its
 * hooks. Only its own file knows the structure. */
#pragma once

#include "core/check/check.h"

/* Empty in the beginning; ends with the facts' arena. */
struct check_memory {
        void *of[CHECK_COUNT];
        uint64_t refused; /* to these checks, for lack of memory; a bit mask */
};

/* Made of zeros at first use. NULL when memory is out, and before MAIL. */
void *check_memory_take(const struct facts *facts, enum check_id check, size_t size);
/* True when the check could not be given what it asked for last. */
bool check_memory_is_out(const struct facts *facts, enum check_id check);
/* NULL where none was taken. */
void *check_memory_find(const struct facts *facts, enum check_id check);
