/* What the stub server says to a query. */
#pragma once

#include "dns/stub/zone.h"

/* The answer to the query in `packet` of `length`, at most `size` octets in `out`; 0: none. *ret_name: the
 * name it is about, for its behaviour; NULL when there is none. */
size_t stub_answer(const struct stub_zone *zone, const char *packet, size_t length, bool by_tcp, char *out,
                   size_t size, const struct stub_name **ret_name);
