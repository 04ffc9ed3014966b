/* Zone text to names and records. */
#include "dns/stub/zone.h"

#include "core/base/address.h"

#include <stdio.h>

#define DATA_MAX 65000

static const struct {
        const char *name;
        enum dns_type type;
} types[] = {
    {"A", DNS_A},   {"AAAA", DNS_AAAA}, {"NS", DNS_NS},   {"CNAME", DNS_CNAME}, {"PTR", DNS_PTR},
    {"MX", DNS_MX}, {"TXT", DNS_TXT},   {"SOA", DNS_SOA}, {"TLSA", DNS_TLSA},
};

/* ---- names --------------------------------------------------------------------------------------------- */

static struct span parent_of(struct span name)
{
        size_t dot = span_find(name, '.');
        return dot == SIZE_MAX ? span_of(name.at + name.length, 0) : span_skip(name, dot + 1);
}

static size_t bucket_of(struct span name)
{
        uint32_t hash = 2166136261u; /* FNV-1a: the names are our own */
        for (size_t i = 0; i < name.length; i++)
                hash = (hash ^ (unsigned char)name.at[i]) * 16777619u;
        return hash % STUB_BUCKETS;
}

struct stub_name *stub_zone_find(const struct stub_zone *zone, struct span name)
{
        struct stub_name *found = zone->buckets[bucket_of(name)];
        while (found != NULL && !span_equals(found->name, name))
                found = found->next;
        return found;
}

struct stub_name *stub_zone_match(const struct stub_zone *zone, struct span name)
{
        struct stub_name *found = stub_zone_find(zone, name);
        char buffer[DNS_NAME_MAX + 2];
        struct text wildcard;

        if (found != NULL || name.length == 0)
                return found;
        struct span above = parent_of(name);
        while (above.length > 0 && stub_zone_find(zone, above) == NULL)
                above = parent_of(above);
        text_over(&wildcard, buffer, sizeof buffer);
        text_put(&wildcard, above.length > 0 ? SPAN("*.") : SPAN("*"));
        text_put(&wildcard, above);
        return stub_zone_find(zone, text_span(&wildcard));
}

static bool has_soa(const struct stub_name *name)
{
        const struct stub_record *record = name == NULL ? NULL : name->records;
        while (record != NULL && record->type != DNS_SOA)
                record = record->next;
        return record != NULL;
}

const struct stub_name *stub_zone_apex(const struct stub_zone *zone, struct span name)
{
        for (; name.length > 0; name = parent_of(name)) {
                const struct stub_name *found = stub_zone_find(zone, name);
                if (has_soa(found))
                        return found;
        }
        return has_soa(&zone->root) ? &zone->root : NULL;
}

bool stub_name_to_wire(struct span name, struct text *wire)
{
        while (name.length > 0) {
                size_t dot = span_find(name, '.');
                struct span label = dot == SIZE_MAX ? name : span_of(name.at, dot);
                text_put_char(wire, (char)label.length);
                text_put(wire, label);
                name = parent_of(name);
        }
        text_put_char(wire, 0);
        return !wire->overflowed;
}

/* With all names above it, which exist from then on. NULL when memory is out. */
static struct stub_name *name_add(struct stub_zone *zone, struct span name)
{
        struct stub_name *first = NULL;

        for (; name.length > 0; name = parent_of(name)) {
                struct stub_name *found = stub_zone_find(zone, name);
                if (found == NULL) {
                        found = arena_take(&zone->memory, sizeof *found);
                        if (found == NULL)
                                return NULL;
                        *found = (struct stub_name){.name = arena_copy(&zone->memory, name),
                                                    .next = zone->buckets[bucket_of(name)]};
                        zone->buckets[bucket_of(name)] = found;
                }
                first = first == NULL ? found : first;
        }
        return first;
}

/* ---- data ---------------------------------------------------------------------------------------------- */

static struct span word_take(struct span *line)
{
        *line = span_trim(*line);
        size_t end = 0;
        while (end < line->length && line->at[end] != ' ' && line->at[end] != '\t')
                end++;
        struct span word = span_of(line->at, end);
        *line = span_trim(span_skip(*line, end));
        return word;
}

static void put_number(struct text *data, uint64_t number, unsigned octets)
{
        while (octets-- > 0)
                text_put_char(data, (char)(number >> (8 * octets)));
}

static bool number_take(struct span *line, uint64_t max, uint64_t *ret_number)
{
        return span_number(word_take(line), ret_number) && *ret_number <= max;
}

static bool name_put(struct span word, struct text *data)
{
        char buffer[DNS_NAME_MAX];
        struct text name;

        text_over(&name, buffer, sizeof buffer);
        if (!span_equals(word, SPAN(".")) && !dns_name_normalise(word, &name))
                return false;
        return stub_name_to_wire(text_span(&name), data);
}

static bool address_put(struct span word, bool is_ipv4, struct text *data)
{
        struct address address;
        if (!address_parse(word, &address) || address_is_ipv4(&address) != is_ipv4)
                return false;
        text_put(data,
                 is_ipv4 ? span_of((char *)address.octets + 12, 4) : span_of((char *)address.octets, 16));
        return true;
}

/* One octet of a quoted string, escapes undone. */
static bool octet_take(struct span *line, char *ret_octet)
{
        uint64_t number;

        *ret_octet = line->at[0];
        *line = span_skip(*line, 1);
        if (*ret_octet != '\\')
                return true;
        if (line->length >= 3 && span_number(span_of(line->at, 3), &number) && number <= 255) {
                *ret_octet = (char)number;
                *line = span_skip(*line, 3);
                return true;
        }
        if (line->length == 0)
                return false;
        *ret_octet = line->at[0];
        *line = span_skip(*line, 1);
        return true;
}

static bool string_take(struct span *line, struct text *data)
{
        char string[255], octet;
        size_t length = 0;

        if (line->length == 0 || line->at[0] != '"')
                return false;
        for (*line = span_skip(*line, 1); line->length > 0 && line->at[0] != '"';) {
                if (length == sizeof string || !octet_take(line, &octet))
                        return false;
                string[length++] = octet;
        }
        if (line->length == 0)
                return false;
        *line = span_trim(span_skip(*line, 1));
        text_put_char(data, (char)length);
        text_put(data, span_of(string, length));
        return true;
}

static bool soa_take(struct span *line, struct text *data)
{
        uint64_t number;

        for (int i = 0; i < 2; i++)
                if (!name_put(word_take(line), data))
                        return false;
        for (int i = 0; i < 5; i++) {
                if (!number_take(line, UINT32_MAX, &number))
                        return false;
                put_number(data, number, 4);
        }
        return true;
}

/* "3 1 1 0123..." (RFC 6698 2.2) */
static bool association_take(struct span *line, struct text *data)
{
        uint64_t number;
        unsigned octet;

        for (int i = 0; i < 3; i++) {
                if (!number_take(line, UINT8_MAX, &number))
                        return false;
                put_number(data, number, 1);
        }
        for (struct span digits = word_take(line); digits.length > 0; digits = span_skip(digits, 2)) {
                if (digits.length == 1 || sscanf(digits.at, "%2x", &octet) != 1)
                        return false;
                text_put_char(data, (char)octet);
        }
        return true;
}

static bool data_take(enum dns_type type, struct span *line, struct text *data)
{
        uint64_t number;

        switch (type) {
        case DNS_A:
        case DNS_AAAA:
                return address_put(word_take(line), type == DNS_A, data);
        case DNS_NS:
        case DNS_CNAME:
        case DNS_PTR:
                return name_put(word_take(line), data);
        case DNS_SOA:
                return soa_take(line, data);
        case DNS_MX:
                if (!number_take(line, UINT16_MAX, &number))
                        return false;
                put_number(data, number, 2);
                return name_put(word_take(line), data);
        case DNS_TLSA:
                return association_take(line, data);
        case DNS_TXT:
                while (string_take(line, data))
                        if (line->length == 0)
                                return true;
                return false;
        }
        return false;
}

/* "!host" before the data, for types that can be made so. */
static bool host_take(enum dns_type type, struct span *line)
{
        struct span rest = *line;

        if ((type != DNS_A && type != DNS_PTR) || !span_equals(word_take(&rest), SPAN("!host")))
                return false;
        *line = rest;
        return true;
}

/* ---- lines --------------------------------------------------------------------------------------------- */

static bool type_find(struct span word, enum dns_type *ret_type)
{
        for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
                if (!span_equals_nocase(word, span_from(types[i].name)))
                        continue;
                *ret_type = types[i].type;
                return true;
        }
        return false;
}

static bool record_read(struct stub_zone *zone, struct stub_name *name, uint64_t ttl_s, struct span line)
{
        static _Thread_local char buffer[DATA_MAX];
        struct stub_record **link = &name->records, *record = arena_take(&zone->memory, sizeof *record);
        enum dns_type type;
        struct text data;

        text_over(&data, buffer, sizeof buffer);
        if (record == NULL || !type_find(word_take(&line), &type))
                return false;
        struct span first = line;
        *record = (struct stub_record){.type = (uint16_t)type, .ttl_s = (uint32_t)ttl_s};
        record->is_of_address = host_take(type, &line);
        if (!(record->is_of_address && type == DNS_A) && !data_take(type, &line, &data))
                return false;
        if (line.length > 0 || data.overflowed)
                return false;
        record->data = arena_copy(&zone->memory, text_span(&data));
        if (type == DNS_CNAME) {
                data.length = 0;
                dns_name_normalise(first, &data);
                record->target = arena_copy(&zone->memory, text_span(&data));
        }
        while (*link != NULL)
                link = &(*link)->next;
        *link = record;
        return record->data.at != NULL;
}

static bool behaviour_read(struct stub_name *name, struct span word, struct span line)
{
        uint64_t number = 0;
        bool has_number = span_number(line, &number) && number <= 600000;

        if (span_equals(word, SPAN("!latency")) && has_number)
                name->latency_ms = (uint32_t)number;
        else if (span_equals(word, SPAN("!loss")) && has_number)
                name->loss_percent = (uint32_t)number;
        else if (span_equals(word, SPAN("!rcode")) && has_number)
                name->rcode = number & 15;
        else if (span_equals(word, SPAN("!tc")))
                name->is_truncated = true;
        else if (span_equals(word, SPAN("!silent")))
                name->is_silent = true;
        else if (span_equals(word, SPAN("!nochase")))
                name->is_unchased = true;
        else
                return false;
        return true;
}

/* The line without its comment. */
static struct span code_of(struct span line)
{
        bool is_quoted = false;

        for (size_t i = 0; i < line.length; i++) {
                if (line.at[i] == '\\')
                        i++;
                else if (line.at[i] == '"')
                        is_quoted = !is_quoted;
                else if (!is_quoted && (line.at[i] == ';' || line.at[i] == '#'))
                        return span_trim(span_of(line.at, i));
        }
        return span_trim(line);
}

static bool line_read(struct stub_zone *zone, struct span line)
{
        char buffer[DNS_NAME_MAX];
        struct text owner;
        uint64_t ttl_s;

        line = code_of(line);
        if (line.length == 0)
                return true;
        text_over(&owner, buffer, sizeof buffer);
        struct span word = word_take(&line);
        bool is_root = span_equals(word, SPAN("."));
        if (!is_root && !dns_name_normalise(word, &owner))
                return false;
        struct stub_name *name = is_root ? &zone->root : name_add(zone, text_span(&owner));
        word = word_take(&line);
        if (name == NULL)
                return false;
        if (word.length > 0 && word.at[0] == '!')
                return behaviour_read(name, word, line);
        return span_number(word, &ttl_s) && ttl_s <= UINT32_MAX && record_read(zone, name, ttl_s, line);
}

bool stub_zone_load(struct stub_zone *zone, struct span text, struct text *ret_error)
{
        block_pool_init(&zone->blocks, 65536, 0);
        arena_init(&zone->memory, &zone->blocks, SIZE_MAX);
        memset(zone->buckets, 0, sizeof zone->buckets);
        zone->root = (struct stub_name){.name = SPAN("")};
        for (unsigned number = 1; text.length > 0; number++) {
                size_t end = span_find(text, '\n');
                struct span line = end == SIZE_MAX ? text : span_of(text.at, end);
                if (!line_read(zone, line)) {
                        text_printf(ret_error, "%u: cannot be read: %.*s", number, (int)line.length, line.at);
                        return false;
                }
                text = end == SIZE_MAX ? SPAN("") : span_skip(text, end + 1);
        }
        return true;
}

void stub_zone_end(struct stub_zone *zone)
{
        arena_end(&zone->memory);
        block_pool_end(&zone->blocks);
}
