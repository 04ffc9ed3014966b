/* Chooses among more records than are looked at: always the same ones, in whatever order they came. */
#pragma once

#include "dns/fact.h"

/* Returns a record's rank. The lowest one is looked at first. */
typedef unsigned dns_rank(const struct dns_record *record, const void *context);

/* Sets *ret_chosen to the first `max` records in the order of their ranks, and those of one rank in the order
 * of their data and then of their preferences. When `rank` is NULL a record's preference is its rank. Returns
 * how many there are. */
size_t dns_choose(const struct dns_answer *answer, dns_rank *rank, const void *context,
                  const struct dns_record **ret_chosen, size_t max);
