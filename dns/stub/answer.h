/* What the stub server says to a query. */
#pragma once

#include "dns/stub/zone.h"

/* Writes the answer to the query in `packet` into `out` and returns its length, which is at most `size`, or 0
 * when there is none. *ret_name is the name that it is about, for its behaviour, or NULL when that is not
 * there. */
size_t stub_answer(const struct stub_zone *zone, const char *packet, size_t length, bool by_tcp, char *out,
                   size_t size, const struct stub_name **ret_name);
