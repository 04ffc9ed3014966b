/* What one check has asked of DNS. Each check has a memo of its own, in front of the one that all of them share, so
 * that what it saw can be told from what others saw. */
#pragma once

#include "dns/fact.h"

#include <jansson.h>

struct sight {
        struct dns_source source;
        struct memo *shared;
        struct memo memo; /* the check's */
};

/* `shared` outlives it. Where nobody can be asked, `shared` has no source. */
void sight_begin(struct sight *sight, struct memo *shared);
/* What was asked, and the answers that are in by now, in a line below the row of the check: "  saw NAME TYPE found,
 * ...". Nothing where nothing was asked. */
void sight_print(const struct sight *sight);
/* The same as an array, which is the caller's. `is_given` tells which answers an operator has given. */
typedef bool sight_given(const void *context, const struct dns_question *question);
json_t *sight_json(const struct sight *sight, sight_given *is_given, const void *context);
