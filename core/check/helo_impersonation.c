/* P5: HELO must not claim to be us: our names, names below them, our addresses as a literal or bare. */
#include "core/base/domain_name.h"
#include "core/check/check.h"

enum verdict_result check_helo_impersonation(const struct facts *facts, struct verdict *verdict)
{
        char octets[DOMAIN_NAME_MAX];
        struct text name;
        struct address address;

        verdict->reply = REPLY_helo_impersonation;
        verdict->subject = facts->helo;
        if (address_parse_loosely(facts->helo, &address)) {
                if (!network_list_contains(&facts->snapshot->own_addresses, &address) ||
                    address_equals(&address, &facts->client))
                        return VERDICT_PASS;
                verdict->evidence = facts_note(facts, facts->helo, "is an address of ours");
                return VERDICT_REFUSE;
        }
        text_over(&name, octets, sizeof octets);
        if (!domain_name_to_ascii(domain_name_without_dot(facts->helo), &name) || name.overflowed)
                return VERDICT_PASS; /* no name at all; helo_name sees to it */
        struct span own = snapshot_own_name(facts->snapshot, text_span(&name));
        if (own.length == 0)
                return VERDICT_PASS;
        verdict->evidence = facts_note(facts, facts->helo, "is a name of ours or below one");
        return VERDICT_REFUSE;
}
