/* P2 for names: DNS lists of domains, asked for the sender's domain and for HELO. Addresses and names that
 * end in digits are never looked up in them. */
#include "core/check/dnsbl.h"

#include "core/base/domain_name.h"

static bool can_be_listed(struct span name)
{
        return domain_name_is_valid(name, false) && domain_name_is_qualified(name);
}

enum verdict_result check_rhsbl(const struct facts *facts, struct verdict *verdict)
{
        struct span names[2] = {facts->sender_domain_ascii, facts->helo};
        struct dnsbl_tally tally = {0};
        char octets[DNSBL_EVIDENCE_MAX];

        text_over(&tally.evidence, octets, sizeof octets);
        for (size_t i = 0; i < facts->snapshot->zone_count; i++) {
                const struct dnsbl_zone *zone = &facts->snapshot->zones[i];
                if (!zone->options.names)
                        continue;
                for (int which = 0; which < 2; which++)
                        if (can_be_listed(names[which]) &&
                            !(which == 1 && span_equals_nocase(names[0], names[1])))
                                dnsbl_count(facts, zone, names[which], &tally);
        }
        verdict->reply = REPLY_rhsbl;
        return dnsbl_judge(facts, &tally, verdict);
}
