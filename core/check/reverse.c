/* Reverse DNS, forward confirmed. */
#include "core/check/reverse.h"

#define NAMES_MAX 10 /* as in RFC 7208 4.6.4; more names say less, not more */

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

enum reverse_result reverse_lookup(const struct facts *facts, struct span *ret_name)
{
        char octets[80];
        struct text question;
        const struct dns_answer *names;
        enum reverse_result result = REVERSE_UNVERIFIED;

        *ret_name = (struct span){0};
        text_over(&question, octets, sizeof octets);
        reverse_put_address(&question, &facts->client);
        text_put_string(&question, address_is_ipv4(&facts->client) ? ".in-addr.arpa" : ".ip6.arpa");
        switch (memo_ask(facts->memo, text_span(&question), DNS_PTR, &names)) {
        case FACT_ABSENT:
                return REVERSE_NONE;
        case FACT_FAILED:
                return REVERSE_FAILED;
        case FACT_PENDING:
                return REVERSE_PENDING;
        case FACT_FOUND:
                break;
        }
        *ret_name = names->records[0].data;
        for (uint16_t i = 0; i < names->record_count && i < NAMES_MAX; i++) {
                bool leads_back;
                enum fact fact = forward(facts, names->records[i].data, &leads_back);
                /* The first that leads back is the name, whatever order the answers come in. */
                if (leads_back && result != REVERSE_PENDING) {
                        *ret_name = names->records[i].data;
                        return REVERSE_VERIFIED;
                }
                if (fact == FACT_PENDING)
                        result = REVERSE_PENDING;
                else if (fact == FACT_FAILED && result == REVERSE_UNVERIFIED)
                        result = REVERSE_FAILED;
        }
        return result;
}
