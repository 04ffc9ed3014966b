/* check_host() of RFC 7208 4: finds records, walks their terms, follows include and redirect, explains. What
 * waits goes on where it stands: hosts are kept in the arena, one on top of the other, not on the stack. */
#include "core/check/spf/evaluate.h"

#include "core/base/domain_name.h"
#include "core/check/spf/match.h"

/* One check_host(), redirects included. */
struct host {
        struct host *outer; /* whose include this is */
        char octets[SPF_NAME_MAX + 2];
        struct span domain; /* trailing dot off */
        struct span record; /* empty: to be found */
        bool is_redirected;
        struct spf_modifiers modifiers;
        struct span rest; /* terms to come */
        /* The term at hand. */
        bool has_term, is_counted, is_included; /* is_included: `included` is the result of its include */
        struct spf_term term;
        enum spf_result included;
        bool has_asked_ahead;
        struct span mechanism; /* what matched */
};

struct spf_evaluation {
        struct spf_state state;
        struct host first, *host; /* the innermost one */
        enum spf_result result;   /* SPF_WAIT: not known yet */
};

/* ---- records ------------------------------------------------------------------------------------------- */

/* 4.3: labels of 1..63 octets, at most 253 in all, more than one label. A literal is no name. */
static bool name_is_well_formed(struct span name)
{
        size_t labels = 0;

        if (name.length == 0 || name.length > SPF_NAME_MAX || name.at[0] == '[')
                return false;
        for (bool is_last = false; !is_last; labels++) {
                size_t dot = span_find(name, '.');
                is_last = dot == SIZE_MAX;
                size_t length = is_last ? name.length : dot;
                if (length == 0 || length > 63)
                        return false;
                name = span_skip(name, length + 1);
        }
        return labels > 1;
}

/* 4.5: of the texts, the one that is a record: SPF_PASS, SPF_NONE, SPF_PERMERROR. */
static enum spf_result record_choose(struct spf_state *state, struct span domain,
                                     const struct dns_answer *answer, struct span *ret_record)
{
        size_t count = 0;

        for (size_t i = 0; i < answer->record_count; i++)
                if (spf_record_is_version1(answer->records[i].data)) {
                        *ret_record = answer->records[i].data;
                        count++;
                }
        if (count > 1)
                return spf_state_error(state, SPF_PERMERROR, "more than one record", domain);
        return count == 0 ? SPF_NONE : SPF_PASS;
}

/* 4.4, 4.5: SPF_PASS with a valid record in host->record. */
static enum spf_result record_find(struct spf_state *state, struct host *host)
{
        const struct dns_answer *answer = NULL;
        struct span record, term;

        if (!name_is_well_formed(host->domain))
                return SPF_NONE;
        enum spf_result result = spf_state_ask(state, host->domain, DNS_TXT, &answer);
        if (result == SPF_TEMPERROR || result == SPF_PERMERROR)
                return spf_state_failed(state, result, host->domain);
        if (result != SPF_PASS)
                return result == SPF_NEUTRAL ? SPF_NONE : result;
        result = record_choose(state, host->domain, answer, &record);
        if (result != SPF_PASS)
                return result;
        const char *problem = spf_record_check(record, &host->modifiers, &term);
        if (problem != NULL)
                return spf_state_error(state, SPF_PERMERROR, problem, term);
        host->record = record;
        host->rest = spf_record_terms(record);
        host->has_asked_ahead = false;
        return SPF_PASS;
}

/* ---- terms: SPF_PASS it matches, SPF_NEUTRAL it does not ----------------------------------------------- */

/* A term with lookups begins; once, however often it is gone on with. */
static enum spf_result term_count(struct spf_state *state, struct host *host)
{
        if (host->is_counted)
                return SPF_PASS;
        host->is_counted = true;
        if (host->has_asked_ahead && state->asked_ahead > 0)
                state->asked_ahead--;
        return spf_state_count(state);
}

/* 5.2: begins another host, which becomes the innermost one. */
static enum spf_result include_begin(struct spf_evaluation *evaluation, struct span target)
{
        struct host *host = arena_take(evaluation->state.arena, sizeof *host);

        if (host == NULL)
                return spf_state_error(&evaluation->state, SPF_TEMPERROR, "out of memory", target);
        *host = (struct host){.outer = evaluation->host};
        memcpy(host->octets, target.at, target.length);
        host->domain = span_of(host->octets, target.length);
        evaluation->host = host;
        return SPF_WAIT;
}

static enum spf_result include_end(struct spf_state *state, struct host *host, struct span target)
{
        host->is_included = false;
        switch (host->included) {
        case SPF_PASS:
                return SPF_PASS;
        case SPF_FAIL:
        case SPF_SOFTFAIL:
        case SPF_NEUTRAL:
                return SPF_NEUTRAL;
        case SPF_TEMPERROR:
                return SPF_TEMPERROR;
        case SPF_WAIT:
        case SPF_NONE:
        case SPF_PERMERROR:
                break;
        }
        return spf_state_error(state, SPF_PERMERROR, "include without a record", target);
}

static enum spf_result match_lookup(struct spf_evaluation *evaluation, struct host *host)
{
        struct spf_state *state = &evaluation->state;
        char buffer[SPF_NAME_MAX + 2];
        struct span target, name;
        enum spf_result result = term_count(state, host);

        if (result != SPF_PASS)
                return result;
        if (!spf_state_target(state, host->term.domain_spec, host->domain, buffer, &target))
                return SPF_WAIT;
        if (host->term.kind == SPF_TERM_INCLUDE)
                return host->is_included ? include_end(state, host, target)
                                         : include_begin(evaluation, target);
        if (host->term.kind != SPF_TERM_PTR)
                return spf_match_names(state, &host->term, target);
        result = spf_state_validated(state, target, true, &name);
        return result == SPF_PASS && !domain_name_is_within(name, target) ? SPF_NEUTRAL : result;
}

static enum spf_result match(struct spf_evaluation *evaluation, struct host *host)
{
        if (host->term.kind >= SPF_TERM_REDIRECT)
                return SPF_NEUTRAL;
        if (host->term.kind == SPF_TERM_ALL)
                return SPF_PASS;
        if (spf_term_is_network(&host->term))
                return spf_network_holds(&host->term, &evaluation->state.values.client) ? SPF_PASS
                                                                                        : SPF_NEUTRAL;
        return match_lookup(evaluation, host);
}

/* ---- hosts --------------------------------------------------------------------------------------------- */

static enum dns_type first_question(const struct spf_state *state, const struct spf_term *term)
{
        return term->kind == SPF_TERM_INCLUDE  ? DNS_TXT
               : term->kind == SPF_TERM_MX     ? DNS_MX
               : term->kind == SPF_TERM_EXISTS ? DNS_A
                                               : spf_state_address_type(state);
}

/* What later terms will ask first, as long as this evaluation may come to them: it waits anyway. */
static void ask_ahead(struct spf_state *state, struct host *host)
{
        char buffer[SPF_NAME_MAX + 2];
        struct span target, rest = host->rest;
        struct spf_term term;

        host->has_asked_ahead = true;
        while (state->lookup_terms + state->asked_ahead < SPF_LOOKUP_TERMS_MAX &&
               spf_term_next(&rest, &term)) {
                if (term.kind == SPF_TERM_ALL)
                        return;
                if (spf_term_is_network(&term) || term.kind >= SPF_TERM_REDIRECT)
                        continue;
                state->asked_ahead++;
                if (term.kind != SPF_TERM_PTR &&
                    spf_state_target(state, term.domain_spec, host->domain, buffer, &target))
                        memo_ask(state->memo, target, first_question(state, &term), NULL);
        }
}

/* 4.6.2: the first match gives the result; SPF_NEUTRAL without host->mechanism: none matched. */
static enum spf_result record_evaluate(struct spf_evaluation *evaluation, struct host *host)
{
        while (host->has_term || spf_term_next(&host->rest, &host->term)) {
                host->has_term = true;
                enum spf_result result = match(evaluation, host);
                if (result == SPF_WAIT)
                        return result;
                host->has_term = host->is_counted = false;
                if (result == SPF_NEUTRAL)
                        continue;
                if (result != SPF_PASS)
                        return result;
                host->mechanism = host->term.text;
                return host->term.qualifier;
        }
        return SPF_NEUTRAL;
}

/* 6.1: the host goes on with another domain, whose record is to be found. */
static enum spf_result host_redirect(struct spf_state *state, struct host *host)
{
        char buffer[SPF_NAME_MAX + 2];
        struct span target;
        enum spf_result result = term_count(state, host);

        if (result != SPF_PASS)
                return result;
        if (!spf_state_target(state, host->modifiers.redirect, host->domain, buffer, &target))
                return SPF_WAIT;
        memcpy(host->octets, target.at, target.length);
        host->domain = span_of(host->octets, target.length);
        host->record = span_of(NULL, 0);
        host->is_redirected = true;
        host->is_counted = false;
        return SPF_PASS;
}

/* Goes on until it is done, waits, or another host becomes the innermost one. */
static enum spf_result host_run(struct spf_evaluation *evaluation, struct host *host)
{
        enum spf_result result = SPF_PASS;

        while (result == SPF_PASS) {
                if (host->record.length == 0)
                        result = record_find(&evaluation->state, host);
                if (result == SPF_NONE && host->is_redirected)
                        return spf_state_error(&evaluation->state, SPF_PERMERROR, "redirect without a record",
                                               host->domain);
                if (result != SPF_PASS)
                        return result;
                result = record_evaluate(evaluation, host);
                if (result != SPF_NEUTRAL || host->mechanism.length > 0 ||
                    host->modifiers.redirect.length == 0)
                        return result;
                result = host_redirect(&evaluation->state, host);
        }
        return result;
}

/* The result of the outermost host. */
static enum spf_result hosts_run(struct spf_evaluation *evaluation)
{
        for (;;) {
                struct host *host = evaluation->host;
                enum spf_result result = host_run(evaluation, host);
                if (evaluation->host != host)
                        continue;
                if (result == SPF_WAIT) {
                        for (; host != NULL; host = host->outer)
                                if (host->record.length > 0 && !host->has_asked_ahead)
                                        ask_ahead(&evaluation->state, host);
                        return result;
                }
                if (host->outer == NULL)
                        return result;
                evaluation->host = host->outer;
                host->outer->included = result;
                host->outer->is_included = true;
        }
}

/* 6.2: what goes wrong here leaves the fail without an explanation. False: it waits. */
static bool explain(struct spf_state *state, const struct host *host, struct text *text)
{
        char buffer[SPF_NAME_MAX + 2], octets[SPF_EXPLANATION_MAX];
        const struct dns_answer *answer = NULL;
        struct span target;
        struct text expanded;

        text_over(&expanded, octets, sizeof octets);
        if (host->modifiers.explanation.length == 0)
                return true;
        if (!spf_state_target(state, host->modifiers.explanation, host->domain, buffer, &target))
                return false;
        enum spf_result result = spf_state_ask(state, target, DNS_TXT, &answer);
        if (result == SPF_WAIT)
                return false;
        if (result != SPF_PASS || answer->record_count != 1)
                return true;
        struct span string = answer->records[0].data;
        if (string.length > SPF_RECORD_MAX || !spf_macro_is_valid(string, true, UINT32_MAX))
                return true;
        if (spf_macro_uses(string, 'p') &&
            spf_state_validated(state, host->domain, false, &state->values.validated) == SPF_WAIT)
                return false;
        spf_macro_expand(string, &state->values, &expanded);
        text_put_printable(text, text_span(&expanded), false);
        return true;
}

/* ---- the whole ----------------------------------------------------------------------------------------- */

static struct span clipped(struct span value)
{
        return span_of(value.at, value.length > SPF_MACRO_VALUE_MAX ? SPF_MACRO_VALUE_MAX : value.length);
}

/* 4.3: A-labels, no trailing dot. An ill-formed name stays what it is and is found to be so later. */
static struct span domain_normalise(struct span domain, struct arena *arena)
{
        char octets[DOMAIN_NAME_MAX + 1];
        struct text a_labels;

        text_over(&a_labels, octets, sizeof octets);
        if (!span_is_ascii(domain) && domain_name_to_ascii(domain, &a_labels) && !a_labels.overflowed)
                domain = arena_copy(arena, text_span(&a_labels));
        if (domain.length > 0 && domain.at[domain.length - 1] == '.')
                domain.length--;
        return clipped(domain);
}

/* NULL when memory is out. */
static struct spf_evaluation *evaluation_begin(const struct spf_request *request, struct memo *memo,
                                               struct arena *arena)
{
        bool is_helo = request->sender_local.length == 0 && request->sender_domain.length == 0;
        struct spf_evaluation *evaluation = arena_take(arena, sizeof *evaluation);

        if (evaluation == NULL)
                return NULL;
        *evaluation = (struct spf_evaluation){.result = SPF_WAIT};
        spf_state_init(&evaluation->state, memo, arena);
        evaluation->host = &evaluation->first;
        evaluation->first.domain = domain_normalise(is_helo ? request->helo : request->sender_domain, arena);
        evaluation->state.values = (struct spf_macro_values){
            .client = request->client,
            .local = request->sender_local.length == 0 ? SPAN("postmaster") : clipped(request->sender_local),
            .sender_domain = evaluation->first.domain,
            .helo = clipped(request->helo),
            .receiver = clipped(request->receiver),
            .now_s = request->now_s};
        return evaluation;
}

static enum spf_result evaluation_end(struct spf_evaluation *evaluation, struct span explanation,
                                      struct spf_detail *detail)
{
        struct arena *arena = evaluation->state.arena;

        detail->mechanism = evaluation->first.mechanism;
        if (detail->mechanism.length == 0 && evaluation->result == SPF_NEUTRAL)
                detail->mechanism = SPAN("default");
        detail->explanation = arena_copy(arena, explanation);
        detail->problem = arena_copy(arena, text_span(&evaluation->state.problem));
        detail->lookups = evaluation->state.lookups;
        return evaluation->result;
}

enum spf_result spf_evaluate(const struct spf_request *request, struct memo *memo, struct arena *arena,
                             struct spf_detail *detail)
{
        char explanation_octets[SPF_EXPLANATION_MAX];
        struct text explanation;

        if (detail->evaluation == NULL)
                detail->evaluation = evaluation_begin(request, memo, arena);
        struct spf_evaluation *evaluation = detail->evaluation;
        if (evaluation == NULL) {
                detail->problem = SPAN("out of memory");
                return SPF_TEMPERROR;
        }
        if (!spf_state_may_go_on(&evaluation->state))
                return SPF_WAIT;
        evaluation->state.awaited_count = 0;
        if (evaluation->result == SPF_WAIT)
                evaluation->result = hosts_run(evaluation);
        text_over(&explanation, explanation_octets, sizeof explanation_octets);
        if (evaluation->result == SPF_WAIT ||
            (evaluation->result == SPF_FAIL &&
             !explain(&evaluation->state, &evaluation->first, &explanation)))
                return SPF_WAIT;
        return evaluation_end(evaluation, text_span(&explanation), detail);
}
