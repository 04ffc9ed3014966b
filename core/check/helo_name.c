/* P6: HELO is a fully qualified domain name, or the client's address as a literal; a bare address counts as a
 * literal. */
#include "core/check/check.h"

#include "core/base/domain_name.h"

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
                return VERDICT_PASS;
        return VERDICT_REFUSE;
}
