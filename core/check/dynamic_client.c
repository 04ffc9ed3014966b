/* P3: the client has a dynamic address: a DNS list says so, or its reverse name is missing, leads nowhere, or
 * is a generic one. */
#include "core/check/dnsbl.h"
#include "core/check/reverse.h"

#include "core/base/domain_name.h"

/* ---- generic names: the address is in it, and a keyword too
 * ---------------------------------------------------- */

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

static bool is_generic(const struct facts *facts, struct span name)
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

/* ---- the check
 * ------------------------------------------------------------------------------------------------- */

static enum verdict_result refuse(const struct facts *facts, struct verdict *verdict, struct span what,
                                  const char *why)
{
        verdict->reply = REPLY_dynamic_client;
        verdict->evidence = facts_note(facts, what, why);
        return VERDICT_REFUSE;
}

/* A suspended list says so: it only observes. */
static enum verdict_result by_suspended(const struct facts *facts, struct verdict *verdict,
                                        const struct dnsbl_zone *zone)
{
        if (zone == NULL)
                return VERDICT_PASS;
        verdict->only_observes = true;
        return refuse(facts, verdict, zone->name, "lists the client as dynamic, but is suspended");
}

static enum verdict_result unsure(const struct facts *facts, struct verdict *verdict)
{
        verdict->reply = REPLY_dynamic_client_unsure;
        verdict->evidence =
            facts_note(facts, SPAN("DNS"), "lists or names of the client cannot be asked for");
        return facts_on_failure(facts->snapshot->options.dynamic_client_on_failure);
}

/* Only one good name is needed. */
static bool all_are_generic(const struct facts *facts, const struct reverse_names *names)
{
        for (size_t i = 0; i < names->count; i++)
                if (!is_generic(facts, names->names[i]))
                        return false;
        return true;
}

static enum verdict_result by_name(const struct facts *facts, struct verdict *verdict, bool waits,
                                   bool has_failed)
{
        struct reverse_names names;
        enum reverse_result result = reverse_lookup(facts, &names);

        if (waits || result == REVERSE_PENDING)
                return VERDICT_WAIT;
        if (result == REVERSE_NONE)
                return refuse(facts, verdict, SPAN("reverse DNS"), "no name for the client");
        if (result == REVERSE_UNVERIFIED)
                return refuse(facts, verdict, names.names[0], "does not lead back to the client");
        bool is_generic = result == REVERSE_VERIFIED && all_are_generic(facts, &names);
        if (is_generic && names.is_complete)
                return refuse(facts, verdict, names.names[0],
                              "a generic name with the client's address in it");
        if (has_failed || is_generic || result == REVERSE_FAILED)
                return unsure(facts, verdict);
        return VERDICT_PASS;
}

enum verdict_result check_dynamic_client(const struct facts *facts, struct verdict *verdict)
{
        const struct dnsbl_zone *suspended = NULL;
        bool waits = false, waits_for_suspended = false, has_failed = false;

        for (size_t i = 0; i < facts->snapshot->zone_count; i++) {
                const struct dnsbl_zone *zone = &facts->snapshot->zones[i];
                const struct dns_answer *answer;
                bool is_dynamic;
                if (zone->options.names || zone->options.dynamic.count == 0)
                        continue;
                enum zone_state state = dnsbl_ask_client(facts, zone, &is_dynamic, &answer);
                is_dynamic = is_dynamic && (state == ZONE_LISTS || state == ZONE_SILENT);
                if (zone_is_suspended(zone)) {
                        suspended = is_dynamic && suspended == NULL ? zone : suspended;
                        waits_for_suspended |= state == ZONE_PENDING;
                        continue;
                }
                if (is_dynamic && !waits)
                        return refuse(facts, verdict, zone->name, "lists the client as dynamic");
                waits |= state == ZONE_PENDING;
                has_failed |= state == ZONE_FAILED;
        }
        enum verdict_result result = by_name(facts, verdict, waits, has_failed);
        if (result != VERDICT_PASS)
                return result;
        return waits_for_suspended ? VERDICT_WAIT : by_suspended(facts, verdict, suspended);
}
