/* Of more records than are looked at: the same ones, in whatever order they came. */
#pragma once

#include "dns/fact.h"

/* What is looked at first has the lowest rank. */
typedef unsigned dns_rank(const struct dns_record *record, const void *context);

/* The first `max` records by rank, those of one rank by data, then by preference; `rank` NULL: by preference.
 * Sorted. */
size_t dns_choose(const struct dns_answer *answer, dns_rank *rank, const void *context,
                  const struct dns_record **ret_chosen, size_t max);
