/* P8: the top-level domains of the sender and of HELO are known to IANA. */
#include "core/check/check.h"

#include "core/base/domain_name.h"

static bool tld_is_known(const struct snapshot *snapshot, struct span name)
{
        char octets[DOMAIN_NAME_MAX];
        struct text tld;

        text_over(&tld, octets, sizeof octets);
        return domain_name_to_ascii(domain_name_tld(name), &tld) && !tld.overflowed &&
               name_table_find(&snapshot->tlds, text_span(&tld), NULL);
}

/* A HELO that is no qualified name at all is helo_name's affair. */
static bool helo_has_tld(struct span helo)
{
        struct address address;
        return !address_parse(helo, &address) && domain_name_is_valid(helo, true) &&
               domain_name_is_qualified(helo);
}

enum verdict_result check_sender_tld(const struct facts *facts, struct verdict *verdict)
{
        verdict->reply = REPLY_sender_tld;
        if (facts->sender_domain.length > 0 && !tld_is_known(facts->snapshot, facts->sender_domain)) {
                verdict->subject = facts->sender;
                verdict->evidence =
                    facts_note(facts, domain_name_tld(facts->sender_domain), "not on the list");
                return VERDICT_REFUSE;
        }
        if (helo_has_tld(facts->helo) && !tld_is_known(facts->snapshot, facts->helo)) {
                verdict->subject = facts->helo;
                verdict->evidence =
                    facts_note(facts, domain_name_tld(facts->helo), "of HELO, not on the list");
                return VERDICT_REFUSE;
        }
        return VERDICT_PASS;
}
