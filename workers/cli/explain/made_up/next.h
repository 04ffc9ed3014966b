/* What would have decided next: with the check that decides out of the way, which one would have refused, and so on to
 * the end. */
#pragma once

#include "workers/cli/explain/table.h"

struct next {
        enum check_id checks[CHECK_COUNT];
        size_t count;
        uint64_t unknown; /* a bit mask of those that enforce, and of which nothing can be said here */
};

/* For the recipient of the table with the number `at`, in the order in which a session would combine the verdicts.
 * `deciding`: the name of the check that decides; NULL: none does. */
void next_find(const struct table *tables, size_t table_count, size_t at, const char *deciding,
               struct next *ret_next);
/* In sentences. `decision` is what is supposed to be out of the way, such as a check's name; NULL: nothing decides. */
void next_print(const struct table *table, const struct next *next, const char *decision);
/* Adds "next", an array of checks as table_json() has them, and "unknown", an array of names. */
void next_put(json_t *object, const struct table *table, const struct next *next);
