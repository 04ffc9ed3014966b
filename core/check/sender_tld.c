/* P8: the top-level domains of the sender and of HELO exist. HELO's has a mode of its own, because inside names greet
 * honestly. One that is not on the list is asked of DNS
 * before it is refused, so that an old list refuses no new domain. */
#include "core/base/domain_name.h"
#include "core/check/check.h"

static bool put_tld(struct span name, struct text *tld)
{
        return domain_name_to_ascii(domain_name_tld(name), tld) && !tld->overflowed;
}

/* A HELO that is no qualified name at all is helo_name's affair. */
static bool helo_has_tld(struct span helo)
{
        struct address address;
        return !address_parse_loosely(helo, &address) &&
               (domain_name_is_valid(helo, true) || domain_name_host_fault(helo) == NULL) &&
               domain_name_is_qualified(helo);
}

/* Without resolvers the list alone decides. */
static enum fact tld_exists(const struct facts *facts, struct span name)
{
        char octets[DOMAIN_NAME_MAX];
        struct text tld;

        text_over(&tld, octets, sizeof octets);
        if (!put_tld(name, &tld))
                return FACT_ABSENT;
        if (name_table_find(&facts->snapshot->tlds, text_span(&tld), NULL))
                return FACT_FOUND;
        if (facts->memo->source == NULL)
                return FACT_ABSENT;
        const struct dns_question question = {.name = text_span(&tld), .type = DNS_NS};
        return facts->is_terse ? memo_look(facts->memo, &question, NULL)
                               : memo_ask(facts->memo, question.name, question.type, NULL);
}

static enum verdict_result judge(const struct facts *facts, struct verdict *verdict, enum fact fact,
                                 struct span subject, struct span name)
{
        verdict->subject = subject;
        verdict->evidence = facts_note(facts, domain_name_tld(name), "is no top-level domain");
        verdict->reply = fact == FACT_ABSENT ? REPLY_sender_tld : REPLY_sender_tld_unsure;
        return fact == FACT_ABSENT ? VERDICT_REFUSE
                                   : facts_on_failure(facts->snapshot->options.sender_tld_on_failure);
}

/* The second opinion is not asked for, and without it nobody is refused, and nobody passes. */
static enum verdict_result unsure(const struct facts *facts, struct verdict *verdict, struct span subject,
                                  struct span name)
{
        verdict->subject = subject;
        verdict->evidence =
            facts_note(facts, domain_name_tld(name), "is not on the list, and DNS is not asked");
        verdict->reply = REPLY_sender_tld_unsure;
        return VERDICT_DEFER;
}

enum verdict_result check_sender_tld(const struct facts *facts, struct verdict *verdict)
{
        enum check_mode helo_mode = facts->snapshot->options.sender_tld_helo_mode;
        struct span helo_name = domain_name_without_dot(facts->helo);
        enum fact sender = FACT_FOUND, helo = FACT_FOUND;

        if (facts->sender_domain.length > 0)
                sender = tld_exists(facts, facts->sender_domain);
        if (helo_mode != CHECK_MODE_OFF && helo_has_tld(helo_name))
                helo = tld_exists(facts, helo_name);
        if (facts->is_terse && sender == FACT_PENDING)
                return unsure(facts, verdict, facts->sender, facts->sender_domain);
        if (facts->is_terse && helo == FACT_PENDING && helo_mode == CHECK_MODE_ENFORCE &&
            sender == FACT_FOUND)
                return unsure(facts, verdict, facts->helo, helo_name);
        if (facts->is_terse && helo == FACT_PENDING)
                helo = FACT_FOUND; /* it would only be observed */
        if (sender == FACT_PENDING || helo == FACT_PENDING)
                return VERDICT_WAIT;
        /* What is only observed hides nothing that counts. */
        bool helo_refuses = helo == FACT_ABSENT && helo_mode == CHECK_MODE_ENFORCE;
        if (sender == FACT_ABSENT || (sender == FACT_FAILED && !helo_refuses))
                return judge(facts, verdict, sender, facts->sender, facts->sender_domain);
        if (helo == FACT_FOUND)
                return VERDICT_PASS;
        verdict->only_observes = helo_mode != CHECK_MODE_ENFORCE;
        return judge(facts, verdict, helo, facts->helo, helo_name);
}
