/* Entries of each format, and their values. */
#include "core/feed/internal.h"
#include "core/feed/numbers.h"

#include "core/base/domain_name.h"

#define LOOPBACK      UINT32_C(0x7f000000) /* ":2" means 127.0.0.2 */
#define OUT_OF_MEMORY "no memory, or too many values"

/* ---- values --------------------------------------------------------------------------------------------- */

/* "text", ":2:text", ":2:" or ":2". Without an address that of `given` counts, and where ":2" stands alone its text. */
static bool read_value(struct feed_builder *builder, struct span text, const struct feed_default *given,
                       struct feed_value *ret_value)
{
        *ret_value = (struct feed_value){.kind = FEED_BOTH, .text = text};
        memcpy(ret_value->address, given->address, sizeof given->address);
        if (text.length == 0 || text.at[0] != ':')
                return true;
        text = span_skip(text, 1);
        if (!feed_take_value(&text, LOOPBACK, ret_value->address)) {
                feed_complain(builder, "the address of its value cannot be read");
                return false;
        }
        feed_skip_spaces(&text);
        if (text.length == 0) {
                ret_value->text = span_of(given->text, given->text_length);
                return true;
        }
        if (text.at[0] != ':') {
                feed_complain(builder, "its value cannot be read");
                return false;
        }
        text = span_skip(text, 1);
        feed_skip_spaces(&text);
        ret_value->text = text;
        return true;
}

static bool number_of(struct feed_builder *builder, struct feed_value *value, uint32_t *ret_number)
{
        if (value->text.length > FEED_TEXT_MAX)
                value->text.length = FEED_TEXT_MAX;
        if (feed_values_add(&builder->feed->values, value, ret_number))
                return true;
        feed_break(builder, OUT_OF_MEMORY);
        return false;
}

/* ":2:text" at the begin of a line. What it leaves out is as at the begin of a file. */
static void take_default(struct feed_builder *builder, struct span line)
{
        struct feed_default *given = &builder->given;
        struct feed_set *set = builder->set;
        bool is_trivial = set->format == FEED_IP4TSET || set->format == FEED_IP6TSET;
        struct feed_value value;
        uint32_t number;

        if ((is_trivial && set->has_own_value) || !read_value(builder, line, &feed_default_first, &value) ||
            !number_of(builder, &value, &number))
                return;
        if (is_trivial) {
                set->own_value = number;
                set->has_own_value = true;
        }
        given->number = number;
        memcpy(given->address, value.address, sizeof given->address);
        given->text_length = value.text.length;
        if (value.text.length > 0)
                memcpy(given->text, value.text.at, value.text.length);
}

/* What stands behind an entry. */
static bool take_value(struct feed_builder *builder, struct span rest, bool is_excluded, uint32_t *ret_number)
{
        struct feed_value value;

        *ret_number = FEED_EXCLUDED;
        if (is_excluded)
                return true;
        feed_skip_spaces(&rest);
        if (rest.length == 0 || feed_is_comment(rest.at[0])) {
                *ret_number = builder->given.number;
                return true;
        }
        return read_value(builder, rest, &builder->given, &value) && number_of(builder, &value, ret_number);
}

/* An address has ended, and what follows is its value. */
static bool is_end(const struct span *rest)
{
        return rest->length == 0 || feed_is_space(rest->at[0]) || feed_is_comment(rest->at[0]) ||
               rest->at[0] == ':';
}

static void count(struct feed_builder *builder, bool is_kept)
{
        if (is_kept)
                builder->report.entries++;
        else
                feed_break(builder, OUT_OF_MEMORY);
}

/* ---- IPv4 ----------------------------------------------------------------------------------------------- */

/* From `first` to `last`, in units of 256 to the power of `level`. */
static bool add_units(struct feed_prefixes *prefixes, uint64_t first, uint64_t last, unsigned level,
                      uint32_t value)
{
        bool is_added = true;

        for (uint64_t unit = first; unit <= last && is_added; unit++)
                is_added = feed_prefixes_add(prefixes, (uint32_t)(unit << 8 * level),
                                             (uint8_t)(32 - 8 * level), value);
        return is_added;
}

/* A range counts as so many prefixes of whole octets as it takes: that decides which of two ranges that overlap is
 * the more specific one. */
static bool add_by_octets(struct feed_prefixes *prefixes, uint64_t first, uint64_t last, uint32_t value)
{
        bool is_added = true;

        for (unsigned level = 0; level < 3 && is_added && first <= last; level++) {
                if ((first | 255) >= last)
                        return last - first == 255
                                   ? add_units(prefixes, first >> 8, first >> 8, level + 1, value)
                                   : add_units(prefixes, first, last, level, value);
                if ((first & 255) != 0)
                        is_added = add_units(prefixes, first, first | 255, level, value);
                if ((last & 255) != 255)
                        is_added = is_added && add_units(prefixes, last & ~UINT64_C(255), last, level, value);
                first = (first + 255) >> 8;
                last = (last + 1) / 256; /* one beyond it, which is never less than 1 here */
                last--;
        }
        return is_added && (first > last || add_units(prefixes, first, last, 3, value));
}

/* The range is neither crooked nor larger than may be. */
static bool is_fit(struct feed_builder *builder, uint32_t first, uint32_t last, unsigned bits)
{
        const char *reason = NULL;

        if ((first & ~feed_mask(bits)) != 0)
                reason = "its host bits are not zero";
        else if (builder->range4_max > 0 && last - first >= builder->range4_max)
                reason = "a range larger than $MAXRANGE4";
        if (reason != NULL)
                feed_complain(builder, reason);
        return reason == NULL;
}

static void add_range(struct feed_builder *builder, struct span rest, bool is_excluded, uint32_t first,
                      uint32_t last)
{
        uint32_t value;

        if (take_value(builder, rest, is_excluded, &value))
                count(builder, add_by_octets(&builder->set->prefixes, first, last, value));
}

static void take_ip4set(struct feed_builder *builder, struct span line, bool is_excluded)
{
        uint32_t first, last;
        unsigned bits;

        if (!feed_take_range(&line, &first, &last, &bits) || bits == 0 || !is_end(&line))
                feed_complain(builder, "not an IPv4 address or range");
        else if (is_fit(builder, first, last, bits))
                add_range(builder, line, is_excluded, first, last);
}

static void take_ip4trie(struct feed_builder *builder, struct span line, bool is_excluded)
{
        uint32_t address, value;
        unsigned bits;

        if (!feed_take_cidr(&line, &address, &bits) || !is_end(&line))
                feed_complain(builder, "not an IPv4 network");
        else if (is_fit(builder, address, address | ~feed_mask(bits), bits) &&
                 take_value(builder, line, is_excluded, &value))
                count(builder, feed_prefixes_add(&builder->set->prefixes, address, (uint8_t)bits, value));
}

static void take_ip4tset(struct feed_builder *builder, struct span line)
{
        uint32_t address;
        unsigned bits;

        if (!feed_take_octets(&line, &address, &bits) || bits != 32 || !is_end(&line))
                feed_complain(builder, "not a single IPv4 address");
        else
                count(builder, feed_prefixes_add(&builder->set->prefixes, address, 32, FEED_OF_SET));
}

/* ---- IPv6 ----------------------------------------------------------------------------------------------- */

static bool add_network(struct feed_builder *builder, const uint8_t octets[static 16], unsigned bits,
                        uint32_t value)
{
        char key[17] = {(char)bits};

        memcpy(key + 1, octets, 16);
        builder->set->lengths[bits] = 1;
        return feed_keys_add(&builder->set->networks, span_of(key, sizeof key), FEED_FIRST_COUNTS,
                             &builder->feed->values, value);
}

static void take_ip6trie(struct feed_builder *builder, struct span line, bool is_excluded)
{
        uint8_t octets[16];
        uint32_t value;
        unsigned bits;

        if (!feed_take_cidr6(&line, octets, &bits) || !is_end(&line))
                feed_complain(builder, "not an IPv6 network");
        else if (feed_clear_host6(octets, bits))
                feed_complain(builder, "its host bits are not zero");
        else if (take_value(builder, line, is_excluded, &value))
                count(builder, add_network(builder, octets, bits, value));
}

static void take_ip6tset(struct feed_builder *builder, struct span line, bool is_excluded)
{
        uint8_t octets[16];
        unsigned bits;

        if (!feed_take_words(&line, octets, &bits) || !is_end(&line))
                feed_complain(builder, "not an IPv6 address");
        else if (bits != (is_excluded ? 128 : 64))
                feed_complain(builder, is_excluded ? "not a single IPv6 address"
                                                   : "not an IPv6 network of four words");
        else
                count(builder, add_network(builder, octets, bits, is_excluded ? FEED_EXCLUDED : FEED_OF_SET));
}

/* ---- names ---------------------------------------------------------------------------------------------- */

static bool add_name(struct feed_builder *builder, struct feed_keys *keys, struct span name, uint32_t value)
{
        return feed_keys_add(keys, name, FEED_BOTH_COUNT, &builder->feed->values, value);
}

static void take_dnset(struct feed_builder *builder, struct span line, bool is_excluded)
{
        char octets[DOMAIN_NAME_MAX];
        struct text name;
        uint32_t value;
        bool is_wild = false, is_plain = true;

        if (line.length > 0 && line.at[0] == '.') {
                is_wild = true;
                line = span_skip(line, 1);
        } else if (line.length > 1 && line.at[0] == '*' && line.at[1] == '.') {
                is_wild = true;
                is_plain = false;
                line = span_skip(line, 2);
        }
        text_over(&name, octets, sizeof octets);
        if (!feed_put_name(&name, feed_take_word(&line))) {
                feed_complain(builder, "not a domain name");
                return;
        }
        if (!take_value(builder, line, is_excluded, &value))
                return;
        struct feed_set *set = builder->set;
        count(builder, (!is_plain || add_name(builder, &set->names, text_span(&name), value)) &&
                           (!is_wild || add_name(builder, &set->wildcards, text_span(&name), value)));
}

/* "NAME [TTL] [IN] TYPE DATA". Records of other types than A and TXT are of no use here. */
static bool read_record(struct span line, struct text *name, struct feed_value *ret_value, bool *ret_is_used)
{
        struct span word = feed_take_word(&line), ttl;
        uint64_t seconds;

        if (!span_equals(word, SPAN("@")) && !feed_put_name(name, word))
                return false;
        word = feed_take_word(&line);
        ttl = word;
        if (word.length > 0 && ascii_is_digit(word.at[0])) {
                if (!feed_take_duration(&ttl, &seconds))
                        return false;
                word = feed_take_word(&line);
        }
        if (span_equals_nocase(word, SPAN("IN")))
                word = feed_take_word(&line);
        *ret_is_used = true;
        *ret_value = (struct feed_value){.kind = FEED_TEXT_ALONE, .text = line};
        if (span_equals_nocase(word, SPAN("A"))) {
                *ret_value = (struct feed_value){.kind = FEED_ADDRESS_ALONE};
                return feed_take_value(&line, 0, ret_value->address);
        }
        if (line.length >= 2 && line.at[0] == '"' && line.at[line.length - 1] == '"')
                ret_value->text = span_of(line.at + 1, line.length - 2);
        *ret_is_used = span_equals_nocase(word, SPAN("TXT"));
        return *ret_is_used || span_equals_nocase(word, SPAN("MX"));
}

static void take_generic(struct feed_builder *builder, struct span line)
{
        char octets[DOMAIN_NAME_MAX];
        struct feed_value value;
        struct text name;
        uint32_t number;
        bool is_used;

        text_over(&name, octets, sizeof octets);
        if (!read_record(line, &name, &value, &is_used))
                feed_complain(builder, "not a record of type A, TXT or MX");
        else if (is_used && number_of(builder, &value, &number))
                count(builder, add_name(builder, &builder->set->records, text_span(&name), number));
}

/* ---- plain lists, and all formats ----------------------------------------------------------------------- */

static void take_listed(struct feed_builder *builder, struct span line, bool is_excluded)
{
        struct span rest = line, word = line;
        uint32_t first, last;
        uint8_t octets[16];
        unsigned bits;
        bool is_ip4 = feed_take_range(&rest, &first, &last, &bits) && bits > 0 && is_end(&rest);

        rest = line;
        word = feed_take_word(&word);
        bool is_ip6 = !is_ip4 && span_find(word, ':') != SIZE_MAX && feed_take_cidr6(&rest, octets, &bits) &&
                      is_end(&rest);
        if ((is_ip4 || is_ip6) && builder->wish.lists_names)
                feed_complain(builder, "an address, in a list of domains");
        else if (is_ip4)
                take_ip4set(builder, line, is_excluded);
        else if (is_ip6)
                take_ip6trie(builder, line, is_excluded);
        else if (builder->wish.lists_names)
                take_dnset(builder, line, is_excluded);
        else
                feed_complain(builder, "not an address or network");
}

/* A line that begins with a colon; "::1" is an address. */
static bool is_default(const struct feed_set *set, struct span line)
{
        bool has_ip6 = set->format == FEED_IP6TRIE || set->format == FEED_LIST;

        return line.at[0] == ':' && set->format != FEED_GENERIC &&
               !(has_ip6 && line.length > 1 && line.at[1] == ':');
}

void feed_take_line(struct feed_builder *builder, struct span line)
{
        bool is_excluded = line.at[0] == '!' && builder->set->format != FEED_GENERIC;

        if (is_default(builder->set, line)) {
                take_default(builder, line);
                return;
        }
        if (is_excluded) {
                line = span_skip(line, 1);
                feed_skip_spaces(&line);
        }
        switch (builder->set->format) {
        case FEED_IP4SET:
                take_ip4set(builder, line, is_excluded);
                break;
        case FEED_IP4TRIE:
                take_ip4trie(builder, line, is_excluded);
                break;
        case FEED_IP4TSET:
                take_ip4tset(builder, is_excluded ? (struct span){0} : line);
                break;
        case FEED_IP6TRIE:
                take_ip6trie(builder, line, is_excluded);
                break;
        case FEED_IP6TSET:
                take_ip6tset(builder, line, is_excluded);
                break;
        case FEED_DNSET:
                take_dnset(builder, line, is_excluded);
                break;
        case FEED_GENERIC:
                take_generic(builder, line);
                break;
        case FEED_LIST:
        case FEED_AUTO:
        case FEED_COMBINED:
        case FEED_FORMATS:
                take_listed(builder, line, is_excluded);
                break;
        }
}
