/* From a query to the stub's answer, both in wire form. */
#include "dns/stub/answer.h"

#include <stdio.h>

#define HEADER         12
#define FLAG_QR        0x8000
#define FLAG_AA        0x0400
#define FLAG_TC        0x0200
#define FLAG_RD        0x0100
#define FLAG_RA        0x0080
#define TYPE_OPT       41
#define TYPE_ANY       255
#define RCODE_FORMERR  1
#define RCODE_NXDOMAIN 3
#define RCODE_NOTIMP   4
#define UDP_OCTETS     512 /* RFC 1035 4.2.1 */
#define UDP_MAX        1232
#define LINKS_MAX      20

struct query_seen {
        struct span packet;
        struct span question; /* octets of the question section */
        char name_buffer[1024];
        struct text name; /* escaped names are in no zone */
        uint16_t flags, type;
        bool has_edns;
        size_t udp_octets;
};

static uint16_t number_at(struct span packet, size_t at)
{
        return (uint16_t)((unsigned char)packet.at[at] << 8 | (unsigned char)packet.at[at + 1]);
}

static void put16(struct text *out, uint32_t number)
{
        text_put_char(out, (char)(number >> 8));
        text_put_char(out, (char)number);
}

/* Past the labels; SIZE_MAX when they do not end. Queries are not compressed. */
static size_t labels_end(struct span packet, size_t at)
{
        while (at < packet.length && packet.at[at] != 0 && (unsigned char)packet.at[at] <= DNS_LABEL_MAX)
                at += (size_t)packet.at[at] + 1;
        return at < packet.length && packet.at[at] == 0 ? at + 1 : SIZE_MAX;
}

static bool query_read(struct query_seen *seen)
{
        size_t end = labels_end(seen->packet, HEADER);

        text_over(&seen->name, seen->name_buffer, sizeof seen->name_buffer);
        if (end == SIZE_MAX || end + 4 > seen->packet.length || number_at(seen->packet, 4) != 1 ||
            !dns_name_from_wire(span_of(seen->packet.at + HEADER, end - HEADER), &seen->name))
                return false;
        seen->type = number_at(seen->packet, end);
        seen->question = span_of(seen->packet.at + HEADER, end + 4 - HEADER);
        seen->udp_octets = UDP_OCTETS;
        size_t opt = end + 4;
        seen->has_edns = number_at(seen->packet, 10) > 0 && opt + 11 <= seen->packet.length &&
                         seen->packet.at[opt] == 0 && number_at(seen->packet, opt + 1) == TYPE_OPT;
        if (seen->has_edns && number_at(seen->packet, opt + 3) > UDP_OCTETS)
                seen->udp_octets =
                    number_at(seen->packet, opt + 3) > UDP_MAX ? UDP_MAX : number_at(seen->packet, opt + 3);
        return true;
}

/* ---- names with addresses in them ---------------------------------------------------------------------- */

#define HOST "host-"

/* Four numbers up to 255, each but the last with `separator` behind it; the name may go on with a dot. */
static bool octets_read(struct span name, char separator, uint8_t octets[static 4])
{
        for (size_t i = 0, at = 0; i < 4; i++, at++) {
                unsigned number = 0;
                size_t begin = at;
                while (at < name.length && at < begin + 3 && ascii_is_digit(name.at[at]))
                        number = number * 10 + (unsigned)(name.at[at++] - '0');
                if (at == begin || number > 255 || at == name.length ||
                    name.at[at] != (i < 3 ? separator : '.'))
                        return false;
                octets[i] = (uint8_t)number;
        }
        return true;
}

/* Data of a record that depends on the asked name: PTR of 4.3.2.1.in-addr.arpa is host-1-2-3-4.SUFFIX, A of
 * that is 1.2.3.4. False when the name holds no address. */
static bool host_put(const struct stub_record *record, struct span asked, struct text *data)
{
        char buffer[32];
        uint8_t o[4];
        struct span host = span_of(HOST, sizeof HOST - 1);

        if (record->type == DNS_A) {
                if (!span_starts_nocase(asked, host) || !octets_read(span_skip(asked, host.length), '-', o))
                        return false;
                text_put(data, span_of((const char *)o, 4));
                return true;
        }
        if (!octets_read(asked, '.', o))
                return false;
        int length = snprintf(buffer, sizeof buffer, HOST "%u-%u-%u-%u", o[3], o[2], o[1], o[0]);
        text_put_char(data, (char)length);
        text_put(data, span_of(buffer, (size_t)length));
        text_put(data, record->data);
        return true;
}

/* ---- sections ------------------------------------------------------------------------------------------ */

/* The owner's name is a pointer to the question when it is the one asked for (RFC 1035 4.1.4). False when
 * there is no such record after all. */
static bool record_put(struct text *out, struct span owner, bool is_asked, const struct stub_record *record)
{
        char octets[DNS_NAME_MAX + 2];
        struct span data = record->data;
        struct text made;

        text_over(&made, octets, sizeof octets);
        if (record->is_of_address) {
                if (!host_put(record, owner, &made))
                        return false;
                data = text_span(&made);
        }
        if (is_asked)
                put16(out, 0xc000 | HEADER);
        else
                stub_name_to_wire(owner, out);
        put16(out, record->type);
        put16(out, 1);
        put16(out, record->ttl_s >> 16);
        put16(out, record->ttl_s);
        put16(out, (uint32_t)data.length);
        text_put(out, data);
        return true;
}

static const struct stub_record *record_of(const struct stub_name *name, uint16_t type)
{
        const struct stub_record *record = name->records;
        while (record != NULL && record->type != type)
                record = record->next;
        return record;
}

static uint16_t records_put(struct text *out, struct span owner, bool is_asked, const struct stub_name *name,
                            uint16_t type)
{
        uint16_t count = 0;

        for (const struct stub_record *record = name->records; record != NULL; record = record->next) {
                if (record->type != type && type != TYPE_ANY)
                        continue;
                count += record_put(out, owner, is_asked, record);
        }
        return count;
}

struct sections {
        uint16_t answers, authorities;
        uint8_t rcode;
};

/* Follows CNAMEs within the zone text. */
static struct sections sections_put(const struct stub_zone *zone, const struct query_seen *seen,
                                    const struct stub_name *name, struct text *out)
{
        struct sections sections = {.rcode = name == NULL ? RCODE_NXDOMAIN : name->rcode};
        struct span owner = text_span(&seen->name);
        const struct stub_record *alias;
        uint16_t before = 0;

        if (name != NULL && name->rcode != 0)
                return sections;
        for (bool is_asked = true; name != NULL; is_asked = false) {
                before = sections.answers;
                sections.answers += records_put(out, owner, is_asked, name, seen->type);
                alias = record_of(name, DNS_CNAME);
                if (sections.answers > before || alias == NULL || sections.answers > LINKS_MAX)
                        break;
                record_put(out, owner, is_asked, alias);
                sections.answers++;
                if (name->is_unchased)
                        return sections;
                owner = alias->target;
                name = stub_zone_match(zone, owner);
                sections.rcode = name == NULL ? RCODE_NXDOMAIN : 0;
                before = sections.answers;
        }
        if (sections.answers > before)
                return sections;
        const struct stub_name *apex = stub_zone_apex(zone, owner);
        if (apex != NULL)
                sections.authorities = records_put(out, apex->name, false, apex, DNS_SOA);
        return sections;
}

static void header_put(struct text *out, const struct query_seen *seen, uint16_t flags,
                       const struct sections *sections)
{
        size_t length = out->length;

        out->length = 0;
        text_put(out, span_of(seen->packet.at, 2));
        put16(out, FLAG_QR | FLAG_AA | FLAG_RA | (seen->flags & FLAG_RD) | flags | sections->rcode);
        put16(out, seen->question.length > 0);
        put16(out, sections->answers);
        put16(out, sections->authorities);
        put16(out, seen->has_edns);
        out->length = length;
}

static void opt_put(struct text *out)
{
        text_put_char(out, 0);
        put16(out, TYPE_OPT);
        put16(out, UDP_MAX);
        text_put(out, span_of("\0\0\0\0\0\0", 6));
}

size_t stub_answer(const struct stub_zone *zone, const char *packet, size_t length, bool by_tcp, char *out,
                   size_t size, const struct stub_name **ret_name)
{
        struct query_seen seen = {.packet = span_of(packet, length)};
        struct sections sections = {.rcode = RCODE_FORMERR};
        uint16_t flags = 0;
        struct text text;

        *ret_name = NULL;
        if (length < HEADER || (number_at(seen.packet, 2) & FLAG_QR))
                return 0;
        seen.flags = number_at(seen.packet, 2);
        text_over(&text, out, size);
        text.length = HEADER;
        if ((seen.flags & 0x7800) != 0) {
                sections.rcode = RCODE_NOTIMP;
        } else if (query_read(&seen)) {
                *ret_name = stub_zone_match(zone, text_span(&seen.name));
                if (!by_tcp && seen.udp_octets < size)
                        text.size = seen.udp_octets;
                text.size -= seen.has_edns ? 11 : 0;
                text_put(&text, seen.question);
                sections = sections_put(zone, &seen, *ret_name, &text);
                if (text.overflowed || (!by_tcp && *ret_name != NULL && (*ret_name)->is_truncated)) {
                        flags = FLAG_TC;
                        sections = (struct sections){0};
                        text.length = HEADER + seen.question.length;
                }
                text.size += seen.has_edns ? 11 : 0;
                if (seen.has_edns)
                        opt_put(&text);
        }
        header_put(&text, &seen, flags, &sections);
        return text.length;
}
