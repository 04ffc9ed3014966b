/* What SPF says of a transaction, for all who want to know: evaluated once. */
#pragma once

#include "core/check/check.h"
#include "core/check/spf/evaluate.h"

/* False for trusted forwarders and for senders without a domain. */
bool spf_counts(const struct facts *facts);
/* The result, where SPF counts, from MAIL on: evaluated until it is not SPF_WAIT, then remembered.
 * SPF_TEMPERROR when memory is out. */
enum spf_result spf_lookup(const struct facts *facts, const struct spf_detail **ret_detail);
