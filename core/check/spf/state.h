/* One evaluation: what it may still spend, what it has asked, and questions asked on its account. */
#pragma once

#include "core/check/spf/macro.h"
#include "core/check/spf/term.h"

#define SPF_LOOKUP_TERMS_MAX 10 /* RFC 7208 4.6.4 */
#define SPF_VOID_TERMS_MAX   2
#define SPF_PTR_NAMES_MAX    10
#define SPF_AWAITED_MAX      10 /* hosts of an mx, or names of the client */

/* The outcome of a term, and of a question, is told as a result: SPF_PASS it matches or has records,
 * SPF_NEUTRAL it does not, else what ends the evaluation. */
struct spf_state {
        struct memo *memo;
        struct arena *arena;
        struct spf_macro_values values;
        unsigned lookup_terms, void_terms;
        uint32_t looked_at; /* hosts of the term at hand whose addresses have been compared, a bit each */
        unsigned
            asked_ahead; /* terms whose question was asked before they were met, and that are yet to come */
        char problem_octets[200];
        struct text problem;
        struct spf_lookup *lookups, **lookups_end; /* in order, each question once */
        /* What the term at hand waits for. */
        const struct dns_answer *awaited[SPF_AWAITED_MAX];
        unsigned awaited_count;
};

void spf_state_init(struct spf_state *state, struct memo *memo, struct arena *arena);
/* Nothing is waited for any more, or one of the answers waited for is in: it is worth going on. */
bool spf_state_may_go_on(const struct spf_state *state);
/* What the evaluation stumbled over; the first one stays. */
enum spf_result spf_state_error(struct spf_state *state, enum spf_result result, const char *what,
                                struct span subject);
/* A term with lookups begins: SPF_PASS, or SPF_PERMERROR when it is one too many. */
enum spf_result spf_state_count(struct spf_state *state);
/* *ret_answer is set for SPF_PASS. SPF_TEMPERROR: DNS failed; SPF_PERMERROR: its answer is too large to be
 * kept, today and tomorrow. */
enum spf_result spf_state_ask(struct spf_state *state, struct span name, enum dns_type type,
                              const struct dns_answer **ret_answer);
/* A question that came to an error ends the evaluation with it. */
enum spf_result spf_state_failed(struct spf_state *state, enum spf_result error, struct span name);
/* A term has had an answer without records; it counts once, however many there were. SPF_NEUTRAL, or
 * SPF_PERMERROR when it is one too many. */
enum spf_result spf_state_count_void(struct spf_state *state, struct span name);
/* The client's address type. */
enum dns_type spf_state_address_type(const struct spf_state *state);
/* The client's validated name that fits `domain` best (5.5, 7.3): SPF_PASS, SPF_NEUTRAL and "unknown", or
 * SPF_WAIT. Of more than 10 names those that fit best are looked at (4.6.4), whatever their order. With `is_term` an
 * absent PTR is a void lookup. */
enum spf_result spf_state_validated(struct spf_state *state, struct span domain, bool is_term,
                                    struct span *ret_name);
/* A term's target: `domain`, or its domain-spec expanded. False: %{p} waits. */
bool spf_state_target(struct spf_state *state, struct span domain_spec, struct span domain,
                      char buffer[SPF_NAME_MAX + 2], struct span *ret_target);
