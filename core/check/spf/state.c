/* Limits, questions and the client's validated names. */
#include "core/check/spf/state.h"

#include "core/base/domain_name.h"
#include "dns/choice.h"

void spf_state_init(struct spf_state *state, struct memo *memo, struct arena *arena)
{
        *state = (struct spf_state){.memo = memo, .arena = arena};
        text_over(&state->problem, state->problem_octets, sizeof state->problem_octets);
        state->lookups_end = &state->lookups;
}

bool spf_state_may_go_on(const struct spf_state *state)
{
        for (unsigned i = 0; i < state->awaited_count; i++)
                if (state->awaited[i]->fact != FACT_PENDING || state->awaited[i]->is_unasked)
                        return true;
        return state->awaited_count == 0 || state->memo->is_late;
}

enum spf_result spf_state_error(struct spf_state *state, enum spf_result result, const char *what,
                                struct span subject)
{
        if (state->problem.length > 0)
                return result;
        text_put_string(&state->problem, what);
        if (subject.length > 100)
                subject.length = 100;
        if (subject.length > 0) {
                text_put_string(&state->problem, ": ");
                text_put_printable(&state->problem, subject, false);
        }
        return result;
}

enum spf_result spf_state_count(struct spf_state *state)
{
        state->looked_at = 0;
        if (++state->lookup_terms > SPF_LOOKUP_TERMS_MAX)
                return spf_state_error(state, SPF_PERMERROR, "more than 10 terms with DNS lookups", SPAN(""));
        return SPF_PASS;
}

/* Questions that the memo does not keep are not among its entries. */
static void remember(struct spf_state *state, const struct dns_answer *answer)
{
        const struct memo_entry *entry = state->memo->entries;

        for (const struct spf_lookup *lookup = state->lookups; lookup != NULL; lookup = lookup->next)
                if (lookup->answer == answer)
                        return;
        while (entry != NULL && &entry->answer != answer)
                entry = entry->next;
        struct spf_lookup *lookup = entry == NULL ? NULL : arena_take(state->arena, sizeof *lookup);
        if (lookup == NULL)
                return;
        *lookup = (struct spf_lookup){.question = entry->question, .answer = answer};
        *state->lookups_end = lookup;
        state->lookups_end = &lookup->next;
}

enum spf_result spf_state_ask(struct spf_state *state, struct span name, enum dns_type type,
                              const struct dns_answer **ret_answer)
{
        const struct dns_answer *answer = NULL;
        enum fact fact = memo_ask(state->memo, name, type, &answer);

        remember(state, answer);
        switch (fact) {
        case FACT_FOUND:
                *ret_answer = answer;
                return SPF_PASS;
        case FACT_ABSENT:
                return SPF_NEUTRAL;
        case FACT_FAILED:
                return answer->is_too_large ? SPF_PERMERROR : SPF_TEMPERROR;
        case FACT_PENDING:
                break;
        }
        if (state->awaited_count < SPF_AWAITED_MAX)
                state->awaited[state->awaited_count++] = answer;
        return SPF_WAIT;
}

enum spf_result spf_state_failed(struct spf_state *state, enum spf_result result, struct span name)
{
        return spf_state_error(state, result,
                               result == SPF_PERMERROR ? "answer too large" : "no answer from DNS", name);
}

enum spf_result spf_state_count_void(struct spf_state *state, struct span name)
{
        if (++state->void_terms > SPF_VOID_TERMS_MAX)
                return spf_state_error(state, SPF_PERMERROR, "more than 2 void lookups", name);
        return SPF_NEUTRAL;
}

enum dns_type spf_state_address_type(const struct spf_state *state)
{
        return address_is_ipv4(&state->values.client) ? DNS_A : DNS_AAAA;
}

static struct span reverse_name(const struct address *client, char buffer[96])
{
        char forward_octets[64];
        struct text forward, name;

        text_over(&forward, forward_octets, sizeof forward_octets);
        text_over(&name, buffer, 96);
        spf_macro_put_client(&forward, client);
        for (struct span left = text_span(&forward); left.length > 0;) {
                size_t dot = span_find_last(left, '.');
                text_put(&name, span_skip(left, dot == SIZE_MAX ? 0 : dot + 1));
                text_put_char(&name, '.');
                left.length = dot == SIZE_MAX ? 0 : dot;
        }
        text_put_string(&name, address_is_ipv4(client) ? "in-addr.arpa" : "ip6.arpa");
        return text_span(&name);
}

static bool answer_has_client(const struct dns_answer *answer, const struct address *client)
{
        size_t offset = address_is_ipv4(client) ? 12 : 0;

        for (size_t i = 0; i < answer->record_count; i++)
                if (memcmp(answer->records[i].data.at, client->octets + offset, 16 - offset) == 0)
                        return true;
        return false;
}

/* How well a name of the client's fits a domain: 0 best. */
static unsigned fit(const struct dns_record *record, const void *context)
{
        const struct span *domain = context;

        if (span_equals_nocase(record->data, *domain))
                return 0;
        return domain_name_is_within(record->data, *domain) ? 1 : 2;
}

enum spf_result spf_state_validated(struct spf_state *state, struct span domain, bool is_term,
                                    struct span *ret_name)
{
        const struct dns_record *chosen[SPF_PTR_NAMES_MAX];
        char buffer[96];
        struct span name = reverse_name(&state->values.client, buffer);
        const struct dns_answer *names = NULL, *addresses = NULL;
        enum spf_result result = spf_state_ask(state, name, DNS_PTR, &names);
        bool is_pending = false, is_found = false;

        *ret_name = SPAN("unknown");
        if (result == SPF_NEUTRAL && is_term)
                return spf_state_count_void(state, name);
        if (result != SPF_PASS)
                return result == SPF_WAIT ? SPF_WAIT : SPF_NEUTRAL; /* no match if DNS fails, too */
        /* Every name is asked for before any is waited for. */
        size_t count = dns_choose(names, fit, &domain, chosen, SPF_PTR_NAMES_MAX);
        for (size_t i = 0; i < count; i++) {
                result = spf_state_ask(state, chosen[i]->data, spf_state_address_type(state), &addresses);
                is_pending |= result == SPF_WAIT;
                if (result != SPF_PASS || is_found || !answer_has_client(addresses, &state->values.client))
                        continue;
                *ret_name = chosen[i]->data;
                is_found = true;
        }
        if (is_pending)
                return SPF_WAIT;
        return is_found ? SPF_PASS : SPF_NEUTRAL;
}

bool spf_state_target(struct spf_state *state, struct span domain_spec, struct span domain,
                      char buffer[SPF_NAME_MAX + 2], struct span *ret_target)
{
        if (domain_spec.length == 0) {
                *ret_target = domain;
                return true;
        }
        state->values.domain = domain;
        if (spf_macro_uses(domain_spec, 'p') &&
            spf_state_validated(state, domain, false, &state->values.validated) == SPF_WAIT)
                return false;
        *ret_target = spf_macro_expand_name(domain_spec, &state->values, buffer);
        return true;
}
