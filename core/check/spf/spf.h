/* From facts to an SPF request, for the check and for the Received-SPF field. */
#pragma once

#include "core/check/check.h"
#include "core/check/spf/evaluate.h"

/* Points into the facts and their arena. */
struct spf_request spf_request_of(const struct facts *facts);
/* False for trusted forwarders and for senders without a domain. */
bool spf_counts(const struct facts *facts);
/* The result, where SPF counts: evaluated until it is not SPF_WAIT, then remembered among what is known. */
enum spf_result spf_lookup(const struct facts *facts, const struct spf_detail **ret_detail);
