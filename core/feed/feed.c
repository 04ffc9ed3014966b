/* Questions to a feed. */
#include "core/feed/internal.h"
#include "core/feed/numbers.h"

#include "core/base/address.h"
#include "core/base/domain_name.h"

#include <stdlib.h>

#define REVERSED6_LENGTH 63 /* 32 digits with dots between */

/* What is asked, below its subzone. */
struct question {
        struct span name;
        enum feed_type type;
        bool is_ip4, is_ip6;
        uint32_t ip4;
        struct address ip6;
        struct text octets; /* of the answer */
};

/* ---- addresses that are asked for by name --------------------------------------------------------------- */

static bool read_ip4(struct span name, uint32_t *ret_address)
{
        uint32_t address = 0;
        uint64_t octet;

        for (unsigned i = 0; i < 4; i++) {
                size_t dot = span_find(name, '.');
                struct span label = span_of(name.at, dot == SIZE_MAX ? name.length : dot);
                if ((dot == SIZE_MAX) != (i == 3) || label.length > 3 || !span_number(label, &octet) ||
                    octet > 255)
                        return false;
                address |= (uint32_t)octet << 8 * i;
                name = span_skip(name, label.length + 1);
        }
        *ret_address = address;
        return true;
}

static bool read_ip6(struct span name, uint8_t ret_address[static 16])
{
        if (name.length != REVERSED6_LENGTH)
                return false;
        for (size_t i = 0; i < 32; i++) {
                int digit = ascii_hex_value(name.at[2 * i]);
                if (digit < 0 || (i < 31 && name.at[2 * i + 1] != '.'))
                        return false;
                uint8_t *octet = &ret_address[15 - i / 2];
                *octet = (uint8_t)(i % 2 == 0 ? digit : *octet | digit << 4);
        }
        return true;
}

static uint32_t word_at(const uint8_t *octets)
{
        return (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 | octets[3];
}

/* An IPv4 address in an IPv6 one counts as itself (RFC 4291 2.5.5.2, RFC 3056). */
static void read_addresses(struct question *question)
{
        const uint8_t *octets = question->ip6.octets;

        question->is_ip4 = read_ip4(question->name, &question->ip4);
        question->is_ip6 = !question->is_ip4 && read_ip6(question->name, question->ip6.octets);
        if (!question->is_ip6)
                return;
        if (octets[0] == 0x20 && octets[1] == 0x02) {
                question->is_ip4 = true;
                question->ip4 = word_at(octets + 2);
        } else if (address_is_ipv4(&question->ip6)) {
                question->is_ip4 = true;
                question->is_ip6 = false;
                question->ip4 = word_at(octets + 12);
        }
}

/* ---- answers -------------------------------------------------------------------------------------------- */

static void add_record(struct question *question, struct feed_answer *answer, size_t begin)
{
        struct span record = span_of(question->octets.at + begin, question->octets.length - begin);
        bool is_new = record.length > 0 && !question->octets.overflowed && answer->count < FEED_RECORDS_MAX;

        for (size_t i = 0; i < answer->count && is_new; i++)
                is_new = !span_equals(answer->records[i], record);
        if (is_new)
                answer->records[answer->count++] = record;
        else
                question->octets.length = begin;
        question->octets.overflowed = false;
}

static void add_values(const struct feed *feed, const struct feed_set *set, uint32_t number,
                       struct span subject, struct question *question, struct feed_answer *answer)
{
        struct feed_value values[FEED_VALUES_MAX];
        size_t count =
            feed_values_get(&feed->values, number == FEED_OF_SET ? set->own_value : number, values);

        for (size_t i = 0; i < count; i++) {
                size_t begin = question->octets.length;
                if (values[i].kind ==
                    (question->type == FEED_ADDRESSES ? FEED_TEXT_ALONE : FEED_ADDRESS_ALONE))
                        continue;
                if (question->type == FEED_ADDRESSES)
                        text_put(&question->octets, span_of((const char *)values[i].address, 4));
                else if (values[i].kind == FEED_TEXT_ALONE)
                        text_put(&question->octets, values[i].text);
                else
                        feed_expand(&question->octets, values[i].text, subject, set);
                add_record(question, answer, begin);
        }
}

/* ---- sets ----------------------------------------------------------------------------------------------- */

static void ask_ranges(const struct feed *feed, const struct feed_set *set, struct question *question,
                       struct feed_answer *answer)
{
        uint32_t number = feed_ranges_find(&set->ranges, question->ip4);
        char octets[ADDRESS_TEXT_MAX];
        struct text subject;

        if (number == FEED_EXCLUDED)
                return;
        text_over(&subject, octets, sizeof octets);
        if (question->type == FEED_TEXTS)
                address_write_ipv4(&subject,
                                   (const uint8_t[]){(uint8_t)(question->ip4 >> 24),
                                                     (uint8_t)(question->ip4 >> 16),
                                                     (uint8_t)(question->ip4 >> 8), (uint8_t)question->ip4});
        add_values(feed, set, number, text_span(&subject), question, answer);
}

/* The longest prefix counts. */
static uint32_t network_of_ip6(const struct feed_set *set, const uint8_t ip6[static 16])
{
        char key[17];
        uint32_t number;

        memcpy(key + 1, ip6, 16);
        for (unsigned bits = 129; bits-- > 0;) {
                if (set->lengths[bits] == 0)
                        continue;
                key[0] = (char)bits;
                feed_clear_host6((uint8_t *)key + 1, bits);
                if (feed_keys_find(&set->networks, span_of(key, sizeof key), &number))
                        return number;
        }
        return FEED_EXCLUDED;
}

static void ask_networks(const struct feed *feed, const struct feed_set *set, struct question *question,
                         struct feed_answer *answer)
{
        uint32_t number = network_of_ip6(set, question->ip6.octets);
        char octets[ADDRESS_TEXT_MAX];
        struct text subject;

        if (number == FEED_EXCLUDED)
                return;
        text_over(&subject, octets, sizeof octets);
        if (question->type == FEED_TEXTS)
                address_write(&subject, &question->ip6);
        add_values(feed, set, number, text_span(&subject), question, answer);
}

/* The name's own entry, or the wildcard that is nearest above it. */
static bool find_name(const struct feed_set *set, struct span name, struct span *ret_key,
                      uint32_t *ret_number)
{
        *ret_key = name;
        if (feed_keys_find(&set->names, name, ret_number))
                return true;
        for (size_t dot; set->wildcards.table.count > 0 && (dot = span_find(*ret_key, '.')) != SIZE_MAX;) {
                *ret_key = span_skip(*ret_key, dot + 1);
                if (feed_keys_find(&set->wildcards, *ret_key, ret_number))
                        return true;
        }
        return false;
}

static void ask_set(const struct feed *feed, const struct feed_set *set, struct question *question,
                    struct feed_answer *answer)
{
        uint32_t number;
        struct span key;

        if (question->is_ip4)
                ask_ranges(feed, set, question, answer);
        if (question->is_ip6)
                ask_networks(feed, set, question, answer);
        if (question->name.length > 0 && find_name(set, question->name, &key, &number))
                add_values(feed, set, number, key, question, answer);
        if (feed_keys_find(&set->records, question->name, &number))
                add_values(feed, set, number, question->name, question, answer);
}

/* ---- subzones ------------------------------------------------------------------------------------------- */

/* The longest that the name is in. */
static const struct feed_subzone *subzone_of(const struct feed *feed, struct span *name)
{
        const struct feed_subzone *longest = NULL;
        size_t length = 0;

        for (size_t i = 0; i < feed->subzone_count; i++) {
                struct span zone = span_from(feed->subzones[i].name);
                if ((longest != NULL && zone.length < length) ||
                    (zone.length > 0 && !domain_name_is_within(*name, zone)))
                        continue;
                longest = &feed->subzones[i];
                length = zone.length;
        }
        if (length > 0)
                name->length -= name->length > length ? length + 1 : length;
        return longest;
}

bool feed_find(const struct feed *feed, struct span name, enum feed_type type, struct feed_answer *ret_answer)
{
        struct question question = {.name = name, .type = type};
        const struct feed_subzone *subzone = subzone_of(feed, &question.name);

        ret_answer->count = 0;
        if (subzone == NULL)
                return false;
        text_over(&question.octets, ret_answer->octets, sizeof ret_answer->octets);
        read_addresses(&question);
        for (size_t i = 0; i < subzone->set_count; i++)
                ask_set(feed, &feed->sets[subzone->sets[i]], &question, ret_answer);
        return ret_answer->count > 0;
}

/* ---- as a whole ----------------------------------------------------------------------------------------- */

static size_t set_octets(const struct feed_set *set)
{
        /* What sorts the prefixes needs as much again. */
        return set->prefixes.room * sizeof *set->prefixes.prefixes * 2 + feed_ranges_octets(&set->ranges) +
               feed_keys_octets(&set->networks) + feed_keys_octets(&set->names) +
               feed_keys_octets(&set->wildcards) + feed_keys_octets(&set->records);
}

size_t feed_octets(const struct feed *feed)
{
        size_t octets = sizeof *feed + feed_values_octets(&feed->values);

        for (size_t i = 0; i < feed->set_count; i++)
                octets += set_octets(&feed->sets[i]);
        return octets;
}

void feed_set_end(struct feed_set *set)
{
        feed_prefixes_end(&set->prefixes);
        feed_ranges_end(&set->ranges);
        feed_keys_end(&set->networks);
        feed_keys_end(&set->names);
        feed_keys_end(&set->wildcards);
        feed_keys_end(&set->records);
        for (size_t i = 0; i < FEED_VARIABLES; i++)
                free(set->variables[i]);
}

uint64_t feed_entries(const struct feed *feed)
{
        return feed->entries;
}

int64_t feed_expires_s(const struct feed *feed)
{
        return feed->expires_s;
}

void feed_free(struct feed *feed)
{
        if (feed == NULL)
                return;
        for (size_t i = 0; i < feed->set_count; i++)
                feed_set_end(&feed->sets[i]);
        for (size_t i = 0; i < feed->subzone_count; i++)
                free(feed->subzones[i].name);
        free(feed->subzones);
        feed_values_end(&feed->values);
        free(feed);
}
