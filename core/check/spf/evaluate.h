/* SPF (RFC 7208) as a pure function of a request and of facts from DNS: no I/O, no clock. */
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
        struct spf_lookup *next;
        struct dns_question question;
        const struct dns_answer *answer; /* FACT_PENDING: it came too late */
};

#define SPF_EXPLANATION_MAX 480 /* fits into one SMTP reply line (RFC 5321 4.5.3.1.5) */

struct spf_evaluation;

/* All text lives in the arena, or as long as the memo. */
struct spf_detail {
        struct spf_evaluation *evaluation; /* where it stands; NULL before the first call */
        /* of a fail, by the sender's domain: printable ASCII; empty when it gives none */
        struct span explanation;
        /* the term that matched, as written; "default" when none did; empty on errors */
        struct span mechanism;
        struct span problem;              /* why it is an error; printable ASCII */
        const struct spf_lookup *lookups; /* in order, each question once */
};

/* check_host() of RFC 7208 4 for the sender's domain, or for HELO. *detail is zeroed before the first call, and
 * after SPF_WAIT given again as it is: the evaluation goes on at the term that waits, and costs next to nothing
 * while none of the answers that this term waits for is in. The request's text lives as long as the memo; after
 * the first call the request itself is not looked at again. Costs are bounded whatever the records say: 10
 * terms with lookups, 2 of them void, 4096 octets a record, 512 a term. */
enum spf_result spf_evaluate(const struct spf_request *request, struct memo *memo, struct arena *arena,
                             struct spf_detail *detail);
