/* The mechanisms that look at addresses: ip4, ip6, a, mx and exists. */
#pragma once

#include "core/check/spf/state.h"

/* ip4 or ip6: needs no DNS. */
bool spf_term_is_network(const struct spf_term *term);
/* 5.6. A client of the other family is in none; the term's kind tells the family, not how its address is
 * written: ip6:::ffff:192.0.2.1/0 holds all of IPv6. */
bool spf_network_holds(const struct spf_term *term, const struct address *client);
/* The term is a, mx or exists (5.3, 5.4, 5.7). SPF_PASS it matches, SPF_NEUTRAL it does not, SPF_WAIT, or an
 * error. */
enum spf_result spf_match_names(struct spf_state *state, const struct spf_term *term, struct span target);
