/* check_host() of RFC 7208 4: finds records, walks their terms, follows include and redirect, explains. The
 * matching of the addresses behind names is libspf2's (spf2.h), all else is decided here. */
#include "core/check/spf/evaluate.h"

#include "core/base/domain_name.h"
#include "core/check/spf/spf2.h"
#include "core/check/spf/state.h"
#include "dns/choice.h"

/* One check_host(), redirects included. */
struct host {
        char octets[SPF_NAME_MAX + 2];
        struct span domain; /* trailing dot off */
        struct span record;
        struct spf_modifiers modifiers;
        struct span mechanism; /* what matched */
};

static enum spf_result host_run(struct spf_state *state, struct host *host);

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

/* 4.4, 4.5: SPF_PASS with a valid record in host->record. */
static enum spf_result record_find(struct spf_state *state, struct host *host)
{
        const struct dns_answer *answer = NULL;
        size_t count = 0;
        struct span term;

        if (!name_is_well_formed(host->domain))
                return SPF_NONE;
        enum spf_result result = spf_state_ask(state, host->domain, DNS_TXT, &answer);
        if (result == SPF_TEMPERROR || result == SPF_PERMERROR)
                return spf_state_failed(state, result, host->domain);
        if (result != SPF_PASS)
                return result == SPF_NEUTRAL ? SPF_NONE : result;
        for (size_t i = 0; i < answer->record_count; i++)
                if (spf_record_is_version1(answer->records[i].data)) {
                        host->record = answer->records[i].data;
                        count++;
                }
        if (count == 0)
                return SPF_NONE;
        if (count > 1)
                return spf_state_error(state, SPF_PERMERROR, "more than one record", host->domain);
        const char *problem = spf_record_check(host->record, &host->modifiers, &term);
        return problem == NULL ? SPF_PASS : spf_state_error(state, SPF_PERMERROR, problem, term);
}

/* ---- mechanisms: SPF_PASS it matches, SPF_NEUTRAL it does not ------------------------------------------ */

static bool term_is_network(const struct spf_term *term)
{
        return term->kind == SPF_TERM_IP4 || term->kind == SPF_TERM_IP6;
}

/* 5.6. A client of the other family is in none; the term's kind tells the family, not how its address is
 * written: ip6:::ffff:192.0.2.1/0 holds all of IPv6. */
static bool network_holds(const struct spf_term *term, const struct address *client)
{
        bool is_ip4 = term->kind == SPF_TERM_IP4;

        return is_ip4 == address_is_ipv4(client) &&
               address_shares_prefix(&term->network, client, is_ip4 ? 96u + term->prefix4 : term->prefix6);
}

/* What the hosts of a term come to. One that matches decides, whatever is to be said of the others: the result
 * depends neither on the order of the hosts nor on that of the answers. */
struct names {
        struct spf2_names base; /* first */
        struct spf_state *state;
        struct span target;
        const struct dns_record *hosts[SPF2_HOST_MAX]; /* of mx */
        size_t host_count;
        bool is_pending;
        enum spf_result failure; /* SPF_NEUTRAL: none; the one of the first host that has one */
        struct span failed, absent;
};

static enum fact names_ask(struct spf2_names *base, size_t number, enum dns_type type,
                           const struct dns_answer **ret_answer)
{
        struct names *names = (struct names *)base;
        struct span name = number == 0 ? names->target : names->hosts[number - 1]->data;

        if (name.length == 0 && number > 0)
                return FACT_ABSENT; /* null MX (RFC 7505): there is no host to ask for */
        enum spf_result result = spf_state_ask(names->state, name, type, ret_answer);
        if (result == SPF_PASS) {
                if (type == DNS_MX)
                        names->host_count = dns_choose(*ret_answer, NULL, NULL, names->hosts, SPF2_HOST_MAX);
                return FACT_FOUND;
        }
        if (result == SPF_WAIT) {
                names->is_pending = true;
        } else if (result == SPF_NEUTRAL) {
                names->absent = names->absent.length == 0 ? name : names->absent;
        } else if (names->failure == SPF_NEUTRAL) {
                names->failure = result;
                names->failed = name;
        }
        return FACT_ABSENT;
}

static bool has_too_many_hosts(const struct names *names)
{
        const struct dns_answer *answer;

        return spf_state_ask(names->state, names->target, DNS_MX, &answer) == SPF_PASS &&
               answer->record_count > SPF2_HOST_MAX;
}

static enum spf_result match_names(struct spf_state *state, const struct spf_term *term, struct span target)
{
        struct names names = {
            .base.ask = names_ask, .state = state, .target = target, .failure = SPF_NEUTRAL};

        if (term->kind == SPF_TERM_MX && has_too_many_hosts(&names))
                return spf_state_error(state, SPF_PERMERROR, "more than 10 MX hosts", target);
        enum spf2_match match = spf2_match_names(&state->values.client, term, &names.base);
        if (match == SPF2_MATCH)
                return SPF_PASS;
        if (match == SPF2_STOPPED && names.failure == SPF_NEUTRAL)
                names.failure = SPF_TEMPERROR;
        if (names.is_pending)
                return SPF_WAIT;
        if (names.failure != SPF_NEUTRAL)
                return spf_state_failed(state, names.failure, names.failed);
        return names.absent.length > 0 ? spf_state_count_void(state, names.absent) : SPF_NEUTRAL;
}

/* 5.2 */
static enum spf_result match_include(struct spf_state *state, struct span target)
{
        struct host host = {0};

        memcpy(host.octets, target.at, target.length);
        host.domain = span_of(host.octets, target.length);
        switch (host_run(state, &host)) {
        case SPF_PASS:
                return SPF_PASS;
        case SPF_FAIL:
        case SPF_SOFTFAIL:
        case SPF_NEUTRAL:
                return SPF_NEUTRAL;
        case SPF_TEMPERROR:
                return SPF_TEMPERROR;
        case SPF_WAIT:
                return SPF_WAIT;
        case SPF_NONE:
        case SPF_PERMERROR:
                break;
        }
        return spf_state_error(state, SPF_PERMERROR, "include without a record", target);
}

static enum spf_result match_lookup(struct spf_state *state, const struct host *host,
                                    const struct spf_term *term)
{
        char buffer[SPF_NAME_MAX + 2];
        struct span target, name;
        enum spf_result result = spf_state_count(state);

        if (result != SPF_PASS)
                return result;
        if (!spf_state_target(state, term->domain_spec, host->domain, buffer, &target))
                return SPF_WAIT;
        if (term->kind == SPF_TERM_INCLUDE)
                return match_include(state, target);
        if (term->kind != SPF_TERM_PTR)
                return match_names(state, term, target);
        result = spf_state_validated(state, target, true, &name);
        return result == SPF_PASS && !domain_name_is_within(name, target) ? SPF_NEUTRAL : result;
}

/* ---- records ------------------------------------------------------------------------------------------- */

/* What later terms will ask first, as long as this evaluation may come to them: it waits anyway. */
static void ask_ahead(struct spf_state *state, const struct host *host, struct span rest)
{
        char buffer[SPF_NAME_MAX + 2];
        struct spf_term term;
        struct span target;

        while (state->lookup_terms + state->asked_ahead < SPF_LOOKUP_TERMS_MAX &&
               spf_term_next(&rest, &term)) {
                if (term.kind == SPF_TERM_ALL)
                        return;
                if (term_is_network(&term) || term.kind >= SPF_TERM_REDIRECT)
                        continue;
                state->asked_ahead++;
                if (term.kind == SPF_TERM_PTR ||
                    !spf_state_target(state, term.domain_spec, host->domain, buffer, &target))
                        continue;
                memo_ask(state->memo, target,
                         term.kind == SPF_TERM_INCLUDE  ? DNS_TXT
                         : term.kind == SPF_TERM_MX     ? DNS_MX
                         : term.kind == SPF_TERM_EXISTS ? DNS_A
                                                        : spf_state_address_type(state),
                         NULL);
        }
}

/* 4.6.2: the first match gives the result; SPF_NEUTRAL without host->mechanism: none matched. */
static enum spf_result record_evaluate(struct spf_state *state, struct host *host)
{
        struct span rest = spf_record_terms(host->record);
        enum spf_result result = SPF_NEUTRAL;
        struct spf_term term;

        while (result == SPF_NEUTRAL && spf_term_next(&rest, &term)) {
                if (term.kind >= SPF_TERM_REDIRECT)
                        continue;
                if (term.kind == SPF_TERM_ALL)
                        result = SPF_PASS;
                else if (term_is_network(&term))
                        result = network_holds(&term, &state->values.client) ? SPF_PASS : SPF_NEUTRAL;
                else
                        result = match_lookup(state, host, &term);
        }
        if (result == SPF_WAIT)
                ask_ahead(state, host, rest);
        if (result != SPF_PASS)
                return result;
        host->mechanism = term.text;
        return term.qualifier;
}

/* 6.1 */
static enum spf_result host_redirect(struct spf_state *state, struct host *host)
{
        char buffer[SPF_NAME_MAX + 2];
        struct span target;
        enum spf_result result = spf_state_count(state);

        if (result != SPF_PASS)
                return result;
        if (!spf_state_target(state, host->modifiers.redirect, host->domain, buffer, &target))
                return SPF_WAIT;
        memcpy(host->octets, target.at, target.length);
        host->domain = span_of(host->octets, target.length);
        result = record_find(state, host);
        if (result == SPF_NONE)
                return spf_state_error(state, SPF_PERMERROR, "redirect without a record", host->domain);
        return result;
}

/* host->domain is set. */
static enum spf_result host_run(struct spf_state *state, struct host *host)
{
        enum spf_result result = record_find(state, host);

        while (result == SPF_PASS) {
                result = record_evaluate(state, host);
                if (result != SPF_NEUTRAL || host->mechanism.length > 0 ||
                    host->modifiers.redirect.length == 0)
                        return result;
                result = host_redirect(state, host);
        }
        return result;
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
static struct span domain_normalise(struct span domain, struct text *a_labels)
{
        if (!span_is_ascii(domain) && domain_name_to_ascii(domain, a_labels) && !a_labels->overflowed)
                domain = text_span(a_labels);
        if (domain.length > 0 && domain.at[domain.length - 1] == '.')
                domain.length--;
        return clipped(domain);
}

static void list_lookups(const struct spf_state *state, struct arena *arena, struct spf_detail *detail)
{
        struct spf_lookup *lookups = arena_take(arena, (state->entry_count + 1) * sizeof *lookups);

        if (lookups == NULL)
                return;
        for (size_t i = 0; i < state->entry_count; i++)
                lookups[i] = (struct spf_lookup){state->entries[i]->question, &state->entries[i]->answer};
        detail->lookups = lookups;
        detail->lookup_count = state->entry_count;
}

enum spf_result spf_evaluate(const struct spf_request *request, struct memo *memo, struct arena *arena,
                             struct spf_detail *ret_detail)
{
        char a_label_octets[DOMAIN_NAME_MAX + 1], explanation_octets[SPF_EXPLANATION_MAX];
        bool is_helo = request->sender_local.length == 0 && request->sender_domain.length == 0;
        struct spf_state state = {.memo = memo};
        struct spf_detail detail = {0};
        struct text a_labels, explanation;
        struct host host = {0};

        text_over(&a_labels, a_label_octets, sizeof a_label_octets);
        text_over(&explanation, explanation_octets, sizeof explanation_octets);
        text_over(&state.problem, state.problem_octets, sizeof state.problem_octets);
        host.domain = domain_normalise(is_helo ? request->helo : request->sender_domain, &a_labels);
        state.values = (struct spf_macro_values){
            .client = request->client,
            .local = request->sender_local.length == 0 ? SPAN("postmaster") : clipped(request->sender_local),
            .sender_domain = host.domain,
            .helo = clipped(request->helo),
            .receiver = clipped(request->receiver),
            .now_s = request->now_s};
        enum spf_result result = host_run(&state, &host);
        if (result == SPF_WAIT || (result == SPF_FAIL && !explain(&state, &host, &explanation)))
                return SPF_WAIT;
        detail.mechanism = host.mechanism.length > 0 ? host.mechanism
                           : result == SPF_NEUTRAL   ? SPAN("default")
                                                     : SPAN("");
        detail.explanation = arena_copy(arena, text_span(&explanation));
        detail.problem = arena_copy(arena, text_span(&state.problem));
        list_lookups(&state, arena, &detail);
        *ret_detail = detail;
        return result;
}
