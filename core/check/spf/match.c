/* The mechanisms that look at addresses: of the record itself, or of names. */
#include "core/check/spf/match.h"

#include "core/check/spf/spf2.h"
#include "dns/choice.h"

bool spf_term_is_network(const struct spf_term *term)
{
        return term->kind == SPF_TERM_IP4 || term->kind == SPF_TERM_IP6;
}

bool spf_network_holds(const struct spf_term *term, const struct address *client)
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

/* Once is enough: had it matched, the term would have ended. */
static enum fact found(struct names *names, size_t number, enum dns_type type,
                       const struct dns_answer *answer)
{
        uint32_t bit = UINT32_C(1) << number;
        bool is_again = type != DNS_MX && (names->state->looked_at & bit) != 0;

        if (type == DNS_MX)
                names->host_count = dns_choose(answer, NULL, NULL, names->hosts, SPF2_HOST_MAX);
        else
                names->state->looked_at |= bit;
        return is_again ? FACT_ABSENT : FACT_FOUND;
}

static enum fact names_ask(struct spf2_names *base, size_t number, enum dns_type type,
                           const struct dns_answer **ret_answer)
{
        struct names *names = (struct names *)base;
        struct span name = number == 0 ? names->target : names->hosts[number - 1]->data;

        if (name.length == 0 && number > 0)
                return FACT_ABSENT; /* null MX (RFC 7505): there is no host to ask for */
        enum spf_result result = spf_state_ask(names->state, name, type, ret_answer);
        if (result == SPF_PASS)
                return found(names, number, type, *ret_answer);
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

enum spf_result spf_match_names(struct spf_state *state, const struct spf_term *term, struct span target)
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
