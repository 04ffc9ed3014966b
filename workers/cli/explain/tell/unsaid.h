/* What a line of the log says of checks beside the one that decided, and what it does not say. */
#pragma once

#include "workers/cli/explain/force.h"
#include "workers/policy/occurrence.h"

/* What the deciding check and reply are, for the recipient's domain as it is in the snapshot, which may be NULL. */
struct force_matter unsaid_matter(const struct snapshot *snapshot, const struct occurrence *occurrence);
/* The verdicts that the line has, in the order of the checks, each with "default" where it has no "file"; the
 * caller's. */
json_t *unsaid_verdicts(const struct occurrence *occurrence);
/* Sentences about what would have decided next. The occurrence is of something that was refused. */
void unsaid_print(const struct snapshot *snapshot, const struct occurrence *occurrence);
/* Adds "next", those verdicts that would have refused this recipient next, and "unknown", names of checks that the line
 * has nothing of, though they enforce today. */
void unsaid_put(json_t *object, const struct snapshot *snapshot, const struct occurrence *occurrence);
/* The call that asks the same of today's configuration and DNS. */
void unsaid_print_question(const char *configuration, const struct occurrence *occurrence);
