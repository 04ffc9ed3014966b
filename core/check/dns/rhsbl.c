/* P2 for names: DNS lists of domains, asked for the sender's domain and for HELO. Addresses and names that
 * end in digits are never looked up in them. */
#include "core/base/domain_name.h"
#include "core/check/dns/dnsbl.h"

static bool can_be_listed(struct span name)
{
        return domain_name_is_valid(name, false) && domain_name_is_qualified(name);
}

enum verdict_result check_rhsbl(const struct facts *facts, struct verdict *verdict)
{
        const struct options *options = &facts->snapshot->options;
        struct dnsbl_tally tally = {0};
        char octets[DNSBL_EVIDENCE_MAX];
        struct span names[2], helo = domain_name_without_dot(facts->helo);
        size_t count = 0;

        if (can_be_listed(facts->sender_domain_ascii))
                names[count++] = facts->sender_domain_ascii;
        if (can_be_listed(helo) && !span_equals_nocase(helo, facts->sender_domain_ascii))
                names[count++] = helo;
        text_over(&tally.evidence, octets, sizeof octets);
        for (size_t i = 0; i < facts->snapshot->zone_count; i++)
                if (facts->snapshot->zones[i].options.names)
                        dnsbl_count(facts, &facts->snapshot->zones[i], names, count, &tally);
        verdict->reply = REPLY_rhsbl;
        return dnsbl_judge(facts, &tally, options->rhsbl_on_failure, REPLY_rhsbl_unsure, verdict);
}
