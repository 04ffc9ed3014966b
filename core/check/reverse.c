/* Reverse DNS, forward confirmed; and which of its names are generic. */
#include "core/check/reverse.h"

#include "core/base/domain_name.h"

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

/* ---- generic names: the address is in it, and a keyword too
 * ---------------------------------------------------- */

static bool contains(struct span name, struct span part)
{
        for (size_t at = 0; part.length > 0 && at + part.length <= name.length; at++)
                if (span_equals_nocase(span_of(name.at + at, part.length), part))
                        return true;
        return false;
}

/* How the octets of an address stand in a name. */
struct form {
        const char *separator;
        int base, width; /* digits at least */
};

static void put_digits(struct text *text, unsigned number, const struct form *form)
{
        if (form->base == 16)
                text_printf(text, "%02x", number);
        else if (form->width == 3)
                text_printf(text, "%03u", number);
        else
                text_printf(text, "%u", number);
}

static bool contains_octets(struct span name, const uint8_t *octets, ptrdiff_t count, ptrdiff_t step,
                            const struct form *form)
{
        char room[40];
        struct text text;

        text_over(&text, room, sizeof room);
        for (ptrdiff_t i = 0; i < count; i++) {
                if (i > 0)
                        text_put_string(&text, form->separator);
                put_digits(&text, octets[i * step], form);
        }
        return contains(name, text_span(&text));
}

/* All four octets in either order, or the last two alone, as in "p12-34.pool.example". */
static bool contains_ipv4(struct span name, const uint8_t *octets)
{
        static const struct form forms[] = {
            {".", 10, 1}, {"-", 10, 1}, {"", 10, 3}, {"-", 10, 3}, {"", 16, 2}};

        for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
                if (contains_octets(name, octets, 4, 1, &forms[i]) ||
                    contains_octets(name, octets + 3, 4, -1, &forms[i]))
                        return true;
        return contains_octets(name, octets + 2, 2, 1, &forms[1]);
}

/* The last four groups of the address, as hexadecimal digits with or without hyphens. */
static bool contains_ipv6(struct span name, const uint8_t *o)
{
        char octets[40];
        int length = snprintf(octets, sizeof octets, "%02x%02x%02x%02x", o[12], o[13], o[14], o[15]);
        if (contains(name, span_of(octets, (size_t)length)))
                return true;
        length = snprintf(octets, sizeof octets, "%x-%x", o[12] << 8 | o[13], o[14] << 8 | o[15]);
        return contains(name, span_of(octets, (size_t)length));
}

/* A keyword counts as a word: no letter stands before or behind it. */
static bool contains_word(struct span name, struct span word)
{
        for (size_t at = 0; word.length > 0 && at + word.length <= name.length; at++)
                if (span_equals_nocase(span_of(name.at + at, word.length), word) &&
                    (at == 0 || !ascii_is_alpha(name.at[at - 1])) &&
                    (at + word.length == name.length || !ascii_is_alpha(name.at[at + word.length])))
                        return true;
        return false;
}

bool reverse_is_generic(const struct facts *facts, struct span name)
{
        const struct options *options = &facts->snapshot->options;
        const uint8_t *octets = facts->client.octets;
        bool has_keyword = false;

        for (size_t i = 0; i < options->dynamic_client_exceptions.count; i++)
                if (domain_name_is_within(name, span_from(options->dynamic_client_exceptions.texts[i])))
                        return false;
        for (size_t i = 0; i < options->dynamic_client_keywords.count; i++)
                has_keyword |= contains_word(name, span_from(options->dynamic_client_keywords.texts[i]));
        return has_keyword && (address_is_ipv4(&facts->client) ? contains_ipv4(name, octets + 12)
                                                               : contains_ipv6(name, octets));
}
