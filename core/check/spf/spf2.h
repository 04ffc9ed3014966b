/* The wall around libspf2. The library decides whether a client matches a, mx and exists (ip4 and ip6 need
 * none of it); the records that it compiles are made here from numbers and placeholders: no octet of a
 * stranger's reaches its parser, and its macro code, its includes and its limits never run. One SPF_server_t
 * a thread, made at first use, freed when the thread ends. */
#pragma once

#include "core/check/spf/term.h"

#define SPF2_HOST_MAX 10 /* of mx, RFC 7208 4.6.4 */

/* What a name term is asked of. Name 0 is the term's target; the MX hosts, as they come, are 1, 2, ... */
struct spf2_names {
        /* FOUND with an answer, ABSENT, or else: stop. FOUND answers of MX have at most SPF2_HOST_MAX
         * records. */
        enum fact (*ask)(struct spf2_names *names, size_t name, enum dns_type type,
                         const struct dns_answer **ret_answer);
};

enum spf2_match { SPF2_MATCH, SPF2_NO_MATCH, SPF2_STOPPED };

/* The term is a, mx or exists. A prefix of 0 compares nothing: any address record matches (5). */
enum spf2_match spf2_match_names(const struct address *client, const struct spf_term *term,
                                 struct spf2_names *names);
