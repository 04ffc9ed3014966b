/* SPF (RFC 7208) as a pure function of a request and of facts from DNS: no I/O, no clock, no state between
 * calls. */
#pragma once

#include "core/base/address.h"
#include "dns/fact.h"

enum spf_result {
        SPF_NONE,
        SPF_NEUTRAL,
        SPF_PASS,
        SPF_FAIL,
        SPF_SOFTFAIL,
        SPF_TEMPERROR,
        SPF_PERMERROR,
        SPF_WAIT, /* an answer is pending: evaluate again when the memo has it */
};

struct spf_request {
        struct address client;
        struct span helo; /* as given */
        /* Without quotes. Both empty: the null sender, so that HELO is the identity (2.4). U-labels are taken
         * for their A-labels; an address literal has no SPF. */
        struct span sender_local, sender_domain;
        struct span receiver; /* our host name */
        int64_t now_s;        /* seconds since 1970 */
};

struct spf_lookup {
        struct dns_question question;
        const struct dns_answer *answer; /* FACT_PENDING: it came too late */
};

#define SPF_EXPLANATION_MAX 480 /* fits into one SMTP reply line (RFC 5321 4.5.3.1.5) */

/* All text lives in the arena, or as long as the memo. */
struct spf_detail {
        /* of a fail, by the sender's domain: printable ASCII; empty when it gives none */
        struct span explanation;
        /* the term that matched, as written; "default" when none did; empty on errors */
        struct span mechanism;
        struct span problem;              /* why it is an error; printable ASCII */
        const struct spf_lookup *lookups; /* in order, each question once */
        size_t lookup_count;
};

/* check_host() of RFC 7208 4 for the sender's domain, or for HELO. For SPF_WAIT *ret_detail is untouched.
 * Costs are bounded whatever the records say: 10 terms with lookups, 2 of them void, 4096 octets a record,
 * 512 a term. */
enum spf_result spf_evaluate(const struct spf_request *request, struct memo *memo, struct arena *arena,
                             struct spf_detail *ret_detail);
