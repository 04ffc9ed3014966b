/* P9: the sender's domain can receive mail: it has MX records (RFC 5321 5.1) that are no null MX (RFC 7505)
 * and do not all point to addresses where no mail server of another's can be. */
#include "core/check/check.h"
#include "dns/choice.h"

#define EXCHANGES_MAX   30 /* looked at, the most preferred ones */
#define EXCHANGES_BATCH 10 /* at a time: the next ones only if none of these is any good */

#define IPV4(a, b, c, d, prefix)                                                                             \
        {                                                                                                    \
                {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}}, 96 + (prefix)                      \
        }
#define IPV6(a, b, last, prefix)                                                                             \
        {                                                                                                    \
                {{a, b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last}}, prefix                                \
        }

/* Networks in which no public mail server is: RFC 6890, RFC 4193, RFC 4291. */
static const struct network bogus[] = {
    IPV4(0, 0, 0, 0, 8),      IPV4(10, 0, 0, 0, 8),    IPV4(100, 64, 0, 0, 10), IPV4(127, 0, 0, 0, 8),
    IPV4(169, 254, 0, 0, 16), IPV4(172, 16, 0, 0, 12), IPV4(192, 0, 0, 0, 24),  IPV4(192, 168, 0, 0, 16),
    IPV4(224, 0, 0, 0, 4),    IPV4(240, 0, 0, 0, 4),   IPV6(0, 0, 0, 128),      IPV6(0, 0, 1, 128),
    IPV6(0xfc, 0, 0, 7),      IPV6(0xfe, 0x80, 0, 10), IPV6(0xff, 0, 0, 8),
};
static const struct network_list bogus_networks = {(struct network *)(uintptr_t)bogus,
                                                   sizeof bogus / sizeof bogus[0]};

static bool record_is_bogus(const struct dns_record *record)
{
        struct address address = {.octets = {[10] = 0xff, [11] = 0xff}};
        if (record->data.length == 4)
                memcpy(address.octets + 12, record->data.at, 4);
        else
                memcpy(address.octets, record->data.at, 16);
        return network_list_contains(&bogus_networks, &address);
}

/* What is known of the addresses of a name, or of several. */
struct reach {
        bool has_good, has_bogus, is_pending, has_failed;
};

static void look_at(const struct facts *facts, struct span name, enum dns_type type, struct reach *reach)
{
        const struct dns_answer *answer;

        switch (memo_ask_kept(facts->memo, name, type, &answer)) {
        case FACT_FOUND:
                for (uint16_t i = 0; i < answer->record_count; i++) {
                        bool is_bogus = record_is_bogus(&answer->records[i]);
                        reach->has_bogus |= is_bogus;
                        reach->has_good |= !is_bogus;
                }
                break;
        case FACT_ABSENT:
                break;
        case FACT_FAILED:
                reach->has_failed = true;
                break;
        case FACT_PENDING:
                reach->is_pending = true;
                break;
        }
}

static void look_at_name(const struct facts *facts, struct span name, struct reach *reach)
{
        look_at(facts, name, DNS_A, reach);
        look_at(facts, name, DNS_AAAA, reach);
}

static enum verdict_result refuse(const struct facts *facts, struct verdict *verdict, enum reply_id reply,
                                  const char *why)
{
        verdict->reply = reply;
        verdict->evidence = facts_note(facts, facts->sender_domain, why);
        return VERDICT_REFUSE;
}

static enum verdict_result unsure(const struct facts *facts, struct verdict *verdict, const char *why)
{
        verdict->reply = REPLY_sender_mx_unsure;
        verdict->evidence = facts_note(facts, facts->sender_domain, why);
        return facts_on_failure(facts->snapshot->options.sender_mx_on_failure);
}

/* No MX record: the domain's own address counts by option (RFC 5321 5.1, implicit MX). */
static enum verdict_result without_exchange(const struct facts *facts, struct verdict *verdict,
                                            bool is_nxdomain)
{
        struct reach reach = {0};

        if (is_nxdomain)
                return refuse(facts, verdict, REPLY_sender_mx, "does not exist");
        if (facts->snapshot->options.sender_mx_require == REQUIRE_MX)
                return refuse(facts, verdict, REPLY_sender_mx, "has no MX record");
        look_at_name(facts, facts->sender_domain_ascii, &reach);
        if (reach.has_good)
                return VERDICT_PASS;
        if (reach.is_pending)
                return VERDICT_WAIT;
        if (reach.has_failed)
                return unsure(facts, verdict, "has no MX record, and its address cannot be looked up");
        return refuse(facts, verdict, REPLY_sender_mx,
                      reach.has_bogus ? "has no MX record, and its addresses are not public"
                                      : "has neither MX nor address record");
}

static enum verdict_result by_exchanges(const struct facts *facts, struct verdict *verdict,
                                        const struct dns_answer *exchanges)
{
        const struct dns_record *chosen[EXCHANGES_MAX];
        struct reach reach = {0};

        if (exchanges->record_count == 1 && exchanges->records[0].data.length == 0)
                return refuse(facts, verdict, REPLY_sender_null_mx, "publishes a null MX");
        size_t count = dns_choose(exchanges, NULL, NULL, chosen, EXCHANGES_MAX);
        for (size_t i = 0; i < count; i++) {
                if (i % EXCHANGES_BATCH == 0 && (reach.has_good || reach.is_pending))
                        break;
                look_at_name(facts, chosen[i]->data, &reach);
        }
        if (reach.has_good)
                return VERDICT_PASS;
        if (reach.is_pending)
                return VERDICT_WAIT;
        if (count < exchanges->record_count)
                return unsure(facts, verdict, "has more MX records than are looked at");
        if (reach.has_bogus && !reach.has_failed)
                return refuse(facts, verdict, REPLY_sender_mx,
                              "has MX records that point only to addresses that are not public");
        if (reach.has_failed)
                return unsure(facts, verdict, "has MX records whose addresses cannot be looked up");
        return refuse(facts, verdict, REPLY_sender_mx, "has MX records that point to no address");
}

enum verdict_result check_sender_mx(const struct facts *facts, struct verdict *verdict)
{
        const struct dns_answer *exchanges;

        if (facts->sender_domain.length == 0)
                return VERDICT_PASS;
        verdict->subject = facts->sender;
        switch (memo_ask(facts->memo, facts->sender_domain_ascii, DNS_MX, &exchanges)) {
        case FACT_FOUND:
                return by_exchanges(facts, verdict, exchanges);
        case FACT_ABSENT:
                return without_exchange(facts, verdict, exchanges->is_nxdomain);
        case FACT_FAILED:
                return unsure(facts, verdict, "has MX records that cannot be looked up");
        case FACT_PENDING:
                break;
        }
        return VERDICT_WAIT;
}
