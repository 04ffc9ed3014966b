/* Tests of the stub server's answers: names made of addresses, and which zone says that a name is not
 * there. */
#include "dns/stub/zone.h"

#include "core/base/expect.h"
#include "dns/stub/answer.h"

#include <criterion/criterion.h>

static const char zone_text[] = ". 60 SOA ns.example. nobody.example. 1 60 60 60 60\n"
                                "*.127.in-addr.arpa. 60 PTR !host clients.example.\n"
                                "*.clients.example. 60 A !host\n"
                                "example. 60 SOA ns.example. nobody.example. 2 60 60 60 60\n";

struct asked {
        unsigned rcode, answers, authorities;
        struct span data; /* of the first record */
        char packet[512];
};

static void put_name(struct text *text, const char *name)
{
        expect(stub_name_to_wire(span_from(name), text));
}

static size_t question_put(struct text *query, const char *name, enum dns_type type)
{
        text_put(query, span_of("\1\2\1\0\0\1\0\0\0\0\0\0", 12));
        put_name(query, name);
        text_put(query, span_of((char[]){0, (char)type, 0, 1}, 4));
        return query->length;
}

static void ask(const char *name, enum dns_type type, struct asked *asked)
{
        static struct stub_zone zone;
        char octets[300], reason[200];
        const struct stub_name *ignored;
        struct text query, error;

        text_over(&error, reason, sizeof reason);
        text_over(&query, octets, sizeof octets);
        cr_assert(stub_zone_load(&zone, span_from(zone_text), &error));
        size_t asked_length = question_put(&query, name, type);
        size_t length = stub_answer(&zone, octets, query.length, false, asked->packet, 512, &ignored);
        cr_assert_gt(length, asked_length - 1);
        asked->rcode = asked->packet[3] & 15;
        asked->answers = (unsigned)asked->packet[7];
        asked->authorities = (unsigned)asked->packet[9];
        /* Owner (a pointer), type, class, TTL, length of data. */
        size_t data = asked_length + 12;
        asked->data = length > data ? span_of(asked->packet + data, length - data) : SPAN("");
        stub_zone_end(&zone);
}

Test(dns_stub, reverse_names_hold_the_address)
{
        char octets[100];
        struct asked asked;
        struct text name;

        ask("4.30.200.127.in-addr.arpa", DNS_PTR, &asked);
        text_over(&name, octets, sizeof octets);
        put_name(&name, "host-127-200-30-4.clients.example");
        cr_assert_eq(asked.answers, 1);
        cr_assert(span_equals(asked.data, text_span(&name)));
}

Test(dns_stub, such_names_lead_back_to_the_address)
{
        struct asked asked;

        ask("host-127-200-30-4.clients.example", DNS_A, &asked);
        cr_assert_eq(asked.answers, 1);
        cr_assert(span_equals(asked.data, span_of("\177\310\036\004", 4)));
}

Test(dns_stub, names_without_an_address_have_no_such_record)
{
        static const char *const names[] = {
            "mail.clients.example",           "host-1-2-3.clients.example",
            "host-1-2-3-256.clients.example", "host-1-2-3-4x.clients.example",
            "host-1--3-4.clients.example",    "host-1-2-3-0004.clients.example"};
        struct asked asked;

        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
                ask(names[i], DNS_A, &asked);
                cr_assert_eq(asked.answers, 0, "%s", names[i]);
                cr_assert_eq(asked.rcode, 0, "%s", names[i]);
        }
}

Test(dns_stub, the_root_says_that_a_top_level_domain_is_not_there)
{
        struct asked asked;

        ask("x.nosuchtld", DNS_MX, &asked);
        cr_assert_eq(asked.rcode, 3);
        cr_assert_eq(asked.authorities, 1);
        cr_assert_eq(asked.packet[12 + 13 + 4], 0, "the owner is the root");
}
