/* Reverse DNS, forward confirmed; and which of its names are generic. */
#include "core/check/dns/reverse.h"

#include "core/base/domain_name.h"
#include "dns/choice.h"

#include <stdio.h>

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
        enum fact fact = memo_ask_kept(facts->memo, name, is_ipv4 ? DNS_A : DNS_AAAA, &answer);

        *ret_leads_back = false;
        for (uint16_t i = 0; fact == FACT_FOUND && i < answer->record_count; i++)
                if (span_equals(answer->records[i].data, span_of((const char *)octets, length)))
                        *ret_leads_back = true;
        return fact;
}

static enum reverse_result look_back(const struct facts *facts, const struct dns_answer *answer,
                                     struct reverse_names *found)
{
        const struct dns_record *chosen[REVERSE_NAMES_MAX];
        size_t count = dns_choose(answer, NULL, NULL, chosen, REVERSE_NAMES_MAX);
        bool is_pending = false;

        found->is_complete = count == answer->record_count;
        for (size_t i = 0; i < count; i++) {
                bool leads_back;
                enum fact fact = forward(facts, chosen[i]->data, &leads_back);
                is_pending |= fact == FACT_PENDING;
                found->is_complete &= fact != FACT_FAILED;
                if (leads_back)
                        found->names[found->count++] = chosen[i]->data;
        }
        if (is_pending)
                return REVERSE_PENDING;
        if (found->count > 0)
                return REVERSE_VERIFIED;
        found->names[found->count++] = chosen[0]->data;
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
        switch (memo_ask_urgently(facts->memo, text_span(&question), DNS_PTR, &answer)) {
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

/* ---- generic names: the address is in it, and a keyword too -------------------------------------------- */

static bool is_hex_digit(char c)
{
        return ascii_is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f');
}

/* `name` is in lower case, as names from DNS are. Where `goes_on` is given, no such character stands before
 * or behind the part: "1-2" is not in "11-23". */
static bool contains(struct span name, struct span part, bool (*goes_on)(char))
{
        size_t at = 0, found;

        if (part.length == 0)
                return false;
        for (; (found = span_find(span_skip(name, at), ascii_lower(part.at[0]))) != SIZE_MAX; at++) {
                at += found;
                size_t end = at + part.length;
                if (end > name.length)
                        return false;
                if (span_equals_nocase(span_of(name.at + at, part.length), part) &&
                    (goes_on == NULL || ((at == 0 || !goes_on(name.at[at - 1])) &&
                                         (end == name.length || !goes_on(name.at[end])))))
                        return true;
        }
        return false;
}

/* How the octets of an address stand in a name. */
struct form {
        const char *separator;
        int base, width; /* digits at least */
};

static void put_digits(struct text *text, uint8_t number, const struct form *form)
{
        static const char hex[] = "0123456789abcdef";

        if (form->base == 16) {
                text_put(text, span_of((char[]){hex[number >> 4], hex[number & 15]}, 2));
                return;
        }
        for (unsigned bound = 100; form->width == 3 && bound > 1 && number < bound; bound /= 10)
                text_put_char(text, '0');
        text_put_number(text, number);
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
        return contains(name, text_span(&text), form->separator[0] == '\0' ? NULL : ascii_is_digit);
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
        if (contains(name, span_of(octets, (size_t)length), NULL))
                return true;
        length = snprintf(octets, sizeof octets, "%x-%x", o[12] << 8 | o[13], o[14] << 8 | o[15]);
        return contains(name, span_of(octets, (size_t)length), is_hex_digit);
}

/* A keyword counts as a word: no letter stands before or behind it. */
static bool contains_word(struct span name, struct span word)
{
        return contains(name, word, ascii_is_alpha);
}

bool reverse_name_holds(struct span name, const struct address *address)
{
        const uint8_t *octets = address->octets;

        return address_is_ipv4(address) ? contains_ipv4(name, octets + 12) : contains_ipv6(name, octets);
}

bool reverse_is_generic(const struct facts *facts, struct span name)
{
        const struct options *options = &facts->snapshot->options;
        bool has_keyword = false;

        for (size_t i = 0; i < options->dynamic_client_exceptions.count; i++)
                if (domain_name_is_within(name, span_from(options->dynamic_client_exceptions.texts[i])))
                        return false;
        for (size_t i = 0; i < options->dynamic_client_keywords.count; i++)
                has_keyword |= contains_word(name, span_from(options->dynamic_client_keywords.texts[i]));
        return has_keyword && reverse_name_holds(name, &facts->client);
}
