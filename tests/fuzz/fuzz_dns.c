/* Fuzzes what DNS says: the input is a packet, which getdns parses as it does those that come from a
 * resolver, and dns/pool/reply.c turns into a reply to the question that the packet repeats. Whatever comes
 * of it must be well-formed: those who use answers do not look again. */
#include "core/base/expect.h"
#include "dns/pool/reply.h"

#include <getdns/getdns_extra.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length);

#define HEADER_OCTETS 12
/* getdns 1.6.0 believes the length that a record behind the first section names, which may be 65 535 octets past
 * the packet's end. */
#define SLACK_OCTETS (65536 + 1024)

/* ---- names --------------------------------------------------------------------------------------------- */

static bool can_be_asked(struct span name)
{
        char octets[DNS_NAME_MAX];
        struct text text;

        text_over(&text, octets, sizeof octets);
        /* What can be asked for is in normal form already. */
        return dns_name_normalise(name, &text) && span_equals(text_span(&text), name);
}

static void check_name(struct span name)
{
        for (size_t i = 0; i < name.length; i++)
                expect(name.at[i] >= ' ' && name.at[i] < 0x7f && !(name.at[i] >= 'A' && name.at[i] <= 'Z'));
        if (name.length > 0 && name.length <= DNS_NAME_MAX && span_find(name, '\\') == SIZE_MAX)
                expect(can_be_asked(name));
}

/* The name that is at the very end of the octets, so that reading past them is seen. */
static void check_wire_name(struct span octets)
{
        char room[1024];
        struct text text;

        text_over(&text, room, sizeof room);
        text_put_char(&text, '!');
        bool is_name = dns_name_from_wire(octets, &text);
        expect(!text.overflowed || octets.length > 255);
        expect(is_name || text.length == 1);
        if (is_name && !text.overflowed)
                check_name(span_skip(text_span(&text), 1));
}

/* ---- the question of the packet ------------------------------------------------------------------------ */

static enum dns_type type_of(unsigned number)
{
        static const enum dns_type types[] = {DNS_A,  DNS_NS,  DNS_CNAME, DNS_SOA, DNS_PTR,
                                              DNS_MX, DNS_TXT, DNS_AAAA,  DNS_TLSA};
        for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
                if ((unsigned)types[i] == number)
                        return types[i];
        return DNS_A;
}

static struct dns_question question_of(struct span packet, struct text *name)
{
        struct dns_question question = {.name = SPAN("example.com"), .type = DNS_A};
        size_t end = HEADER_OCTETS;

        while (end < packet.length && packet.at[end] > 0)
                end += (size_t)packet.at[end] + 1;
        if (end + 5 > packet.length)
                return question;
        question.type =
            type_of((unsigned)(unsigned char)packet.at[end + 1] << 8 | (unsigned char)packet.at[end + 2]);
        if (dns_name_from_wire(span_of(packet.at + HEADER_OCTETS, end + 1 - HEADER_OCTETS), name) &&
            can_be_asked(text_span(name)))
                question.name = text_span(name);
        return question;
}

/* ---- what must be true of a reply ---------------------------------------------------------------------- */

static void check_record(const struct dns_record *record, enum dns_type type)
{
        expect(type == DNS_MX || record->preference == 0);
        if (type == DNS_A)
                expect(record->data.length == 4);
        else if (type == DNS_AAAA)
                expect(record->data.length == 16);
        else if (type == DNS_TLSA)
                expect(record->data.length >= 3);
        else if (type != DNS_TXT)
                check_name(record->data);
}

static void check_answer(const struct dns_answer *answer, enum dns_reply_kind kind, enum dns_type type)
{
        expect((answer->fact == FACT_FAILED && !answer->is_too_large) == (kind == DNS_REPLY_REFUSED));
        expect(answer->fact != FACT_PENDING && (answer->fact == FACT_FAILED || !answer->is_too_large));
        expect((answer->record_count > 0) == (answer->fact == FACT_FOUND));
        expect(answer->ttl_s <= INT32_MAX);
        expect(!answer->is_nxdomain || answer->fact == FACT_ABSENT);
        for (uint16_t i = 0; i < answer->record_count; i++)
                check_record(&answer->records[i], type);
        expect(dns_answer_octets(answer) <= DNS_ANSWER_OCTETS_MAX);
}

static void check_reply(const struct dns_reply *reply, enum dns_type type)
{
        struct span target = span_of(reply->target, reply->target_length);

        expect((reply->answer != NULL) ==
               (reply->kind == DNS_REPLY_REFUSED || reply->kind == DNS_REPLY_ANSWER));
        if (reply->answer != NULL)
                check_answer(&reply->answer->answer, reply->kind, type);
        if (reply->kind == DNS_REPLY_CHAIN)
                expect(can_be_asked(target) && reply->ttl_s <= INT32_MAX);
}

/* The message as getdns hands it to callbacks. */
static getdns_dict *response_with(getdns_dict *message)
{
        getdns_dict *response = getdns_dict_create();
        getdns_list *tree = getdns_list_create();

        expect(response != NULL && tree != NULL);
        expect(getdns_list_set_dict(tree, 0, message) == GETDNS_RETURN_GOOD);
        expect(getdns_dict_set_list(response, "replies_tree", tree) == GETDNS_RETURN_GOOD);
        getdns_list_destroy(tree);
        return response;
}

/* getdns 1.6.0 reads a label whose length leads out of the packet, up to 63 octets beyond, before it finds
 * that out. Its own buffers are larger than packets, so this one is too. */
static void read_packet(const uint8_t *octets, size_t length, const struct dns_question *question)
{
        getdns_dict *message;
        struct dns_reply reply;
        uint8_t *packet = calloc(1, length + SLACK_OCTETS);

        expect(packet != NULL);
        memcpy(packet, octets, length);
        getdns_return_t result = getdns_wire2msg_dict(packet, length, &message);
        free(packet);
        if (result != GETDNS_RETURN_GOOD)
                return;
        getdns_dict *response = response_with(message);
        dns_reply_read(response, question, &reply);
        check_reply(&reply, question->type);
        shared_answer_drop(reply.answer);
        getdns_dict_destroy(response);
        getdns_dict_destroy(message);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
        char room[1024];
        struct text name;

        if (length > UINT16_MAX)
                length = UINT16_MAX;
        char *copy =
            malloc(length > 0 ? length : 1); /* of its exact size, so that reading past the end is seen */
        expect(copy != NULL);
        if (length > 0)
                memcpy(copy, octets, length);
        check_wire_name(span_of(copy, length));
        if (length > HEADER_OCTETS) {
                text_over(&name, room, sizeof room);
                check_wire_name(span_of(copy + HEADER_OCTETS, length - HEADER_OCTETS));
                struct dns_question question = question_of(span_of(copy, length), &name);
                read_packet((const uint8_t *)copy, length, &question);
        }
        free(copy);
        return 0;
}
