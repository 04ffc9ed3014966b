/* Reverse DNS, forward confirmed. */
#include "core/check/reverse.h"

void reverse_put_address(struct text *text, const struct address *address)
{
        static const char hex[] = "0123456789abcdef";

        if (address_is_ipv4(address)) {
                for (int i = 15; i >= 12; i--) {
                        text_put_number(text, address->octets[i]);
                        if (i > 12)
                                text_put_char(text, '.');
                }
                return;
        }
        for (int i = 15; i >= 0; i--) {
                text_put(
                    text,
                    span_of((char[]){hex[address->octets[i] & 15], '.', hex[address->octets[i] >> 4]}, 3));
                if (i > 0)
                        text_put_char(text, '.');
        }
}

static enum fact forward(const struct facts *facts, struct span name, bool *ret_leads_back)
{
        bool is_ipv4 = address_is_ipv4(&facts->client);
        const uint8_t *octets = facts->client.octets + (is_ipv4 ? 12 : 0);
        size_t length = is_ipv4 ? 4 : 16;
        const struct dns_answer *answer;
        enum fact fact = memo_ask(facts->memo, name, is_ipv4 ? DNS_A : DNS_AAAA, &answer);

        *ret_leads_back = false;
        for (uint16_t i = 0; fact == FACT_FOUND && i < answer->record_count; i++)
                if (span_equals(answer->records[i].data, span_of((const char *)octets, length)))
                        *ret_leads_back = true;
        return fact;
}

static enum reverse_result look_back(const struct facts *facts, const struct dns_answer *answer,
                                     struct reverse_names *found)
{
        bool is_pending = false;

        for (uint16_t i = 0; i < answer->record_count && i < REVERSE_NAMES_MAX; i++) {
                bool leads_back;
                enum fact fact = forward(facts, answer->records[i].data, &leads_back);
                is_pending |= fact == FACT_PENDING;
                found->is_complete &= fact != FACT_FAILED;
                if (leads_back)
                        found->names[found->count++] = answer->records[i].data;
        }
        if (is_pending)
                return REVERSE_PENDING;
        if (found->count > 0)
                return REVERSE_VERIFIED;
        found->names[found->count++] = answer->records[0].data;
        return found->is_complete ? REVERSE_UNVERIFIED : REVERSE_FAILED;
}

enum reverse_result reverse_lookup(const struct facts *facts, struct reverse_names *ret_names)
{
        char octets[80];
        struct text question;
        const struct dns_answer *answer;

        *ret_names = (struct reverse_names){.is_complete = true};
        text_over(&question, octets, sizeof octets);
        reverse_put_address(&question, &facts->client);
        text_put_string(&question, address_is_ipv4(&facts->client) ? ".in-addr.arpa" : ".ip6.arpa");
        switch (memo_ask(facts->memo, text_span(&question), DNS_PTR, &answer)) {
        case FACT_ABSENT:
                return REVERSE_NONE;
        case FACT_FAILED:
                return REVERSE_FAILED;
        case FACT_PENDING:
                return REVERSE_PENDING;
        case FACT_FOUND:
                break;
        }
        return look_back(facts, answer, ret_names);
}
