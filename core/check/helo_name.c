/* P6: HELO is a fully qualified domain name, or the client's address as a literal; a bare address counts as a
 * literal. */
#include "core/base/domain_name.h"
#include "core/check/check.h"

/* By option, the name must have an address. */
static enum verdict_result resolves(const struct facts *facts, struct verdict *verdict)
{
        if (!facts->snapshot->options.helo_name_must_resolve)
                return VERDICT_PASS;
        enum fact ipv4 = memo_ask(facts->memo, facts->helo, DNS_A, NULL);
        enum fact ipv6 = memo_ask(facts->memo, facts->helo, DNS_AAAA, NULL);
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

enum verdict_result check_helo_name(const struct facts *facts, struct verdict *verdict)
{
        struct address address;

        verdict->subject = facts->helo;
        if (address_parse_literal(facts->helo, &address) || address_parse(facts->helo, &address)) {
                if (address_equals(&address, &facts->client))
                        return VERDICT_PASS;
                verdict->reply = REPLY_helo_literal_mismatch;
                verdict->evidence = facts_note(facts, facts->helo, "is not the client's address");
                return VERDICT_REFUSE;
        }
        verdict->reply = REPLY_helo_not_qualified;
        if (!domain_name_is_valid(facts->helo, false))
                verdict->evidence = facts_note(facts, facts->helo, "is no domain name");
        else if (!domain_name_is_qualified(facts->helo))
                verdict->evidence = facts_note(facts, facts->helo, "is not fully qualified");
        else
                return resolves(facts, verdict);
        return VERDICT_REFUSE;
}
