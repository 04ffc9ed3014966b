/* P6: HELO is a fully qualified domain name, or the client's address as a literal; a bare address counts as a
 * literal, and so does one of IPv6 without its tag. Each fault has words of its own, for who greets wrongly should
 * learn how. */
#include "core/base/domain_name.h"
#include "core/check/check.h"

/* By option, the name must have an address. */
static enum verdict_result resolves(const struct facts *facts, struct span name, struct verdict *verdict)
{
        if (!facts->snapshot->options.helo_name_must_resolve)
                return VERDICT_PASS;
        enum fact ipv4 = memo_ask(facts->memo, name, DNS_A, NULL);
        enum fact ipv6 = memo_ask(facts->memo, name, DNS_AAAA, NULL);
        if (ipv4 == FACT_FOUND || ipv6 == FACT_FOUND)
                return VERDICT_PASS;
        if (ipv4 == FACT_PENDING || ipv6 == FACT_PENDING)
                return VERDICT_WAIT;
        if (ipv4 == FACT_ABSENT && ipv6 == FACT_ABSENT) {
                verdict->reply = REPLY_helo_unresolved;
                verdict->evidence = facts_note(facts, facts->helo, "has no address");
                return VERDICT_REFUSE;
        }
        verdict->reply = REPLY_helo_unsure;
        verdict->evidence = facts_note(facts, facts->helo, "cannot be looked up");
        return facts_on_failure(facts->snapshot->options.helo_name_on_failure);
}

/* What is no name at all. NULL when it is one, if not a qualified one. */
static const char *fault_of(struct span name)
{
        if (name.length > 0 && name.at[0] == '[')
                return "its brackets hold no address";
        const char *fault = domain_name_host_fault(name);
        if (fault == NULL && span_find(name, '.') != SIZE_MAX && !domain_name_is_qualified(name))
                fault = "its last label is a number";
        return fault;
}

enum verdict_result check_helo_name(const struct facts *facts, struct verdict *verdict)
{
        struct span name = domain_name_without_dot(facts->helo);
        struct address address;

        verdict->subject = facts->helo;
        if (address_parse_loosely(facts->helo, &address)) {
                if (address_equals(&address, &facts->client))
                        return VERDICT_PASS;
                verdict->reply = REPLY_helo_literal_mismatch;
                verdict->evidence = facts_note(facts, facts->helo, "is not the client's address");
                return VERDICT_REFUSE;
        }
        const char *fault = fault_of(name);
        if (fault != NULL) {
                verdict->reply = REPLY_helo_malformed;
                verdict->subject = span_from(fault);
                verdict->evidence = facts_remark(facts, facts->helo, span_from(fault));
                return VERDICT_REFUSE;
        }
        if (domain_name_is_qualified(name))
                return resolves(facts, name, verdict);
        verdict->reply = REPLY_helo_not_qualified;
        verdict->evidence = facts_note(facts, facts->helo, "is not fully qualified");
        return VERDICT_REFUSE;
}
