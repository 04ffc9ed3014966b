/* From getdns's dicts to an answer. */
#include "dns/pool/reply.h"

#define RCODE_NXDOMAIN 3
#define CLASS_IN       1
#define WIRE_NAME_TEXT 1024 /* 255 octets, each \DDD at worst */

/* What is gathered while the records of a response are read. */
struct reading {
        const struct dns_question *question;
        getdns_dict *response; /* one of /replies_tree */
        getdns_list *records;  /* of the answer section */
        size_t record_count;
        char owner_buffer[WIRE_NAME_TEXT];
        struct text owner; /* whose records answer: the name asked for, or the end of the CNAME chain */
        unsigned links;
        uint32_t ttl_s;
        char data_buffer[DNS_ANSWER_OCTETS_MAX];
        struct text data;
        struct dns_record found[DNS_RECORDS_MAX];
        uint16_t found_count;
};

static uint32_t dict_int(const getdns_dict *dict, const char *key, uint32_t otherwise)
{
        uint32_t value;
        return getdns_dict_get_int(dict, key, &value) == GETDNS_RETURN_GOOD ? value : otherwise;
}

static bool dict_octets(const getdns_dict *dict, const char *key, struct span *ret_octets)
{
        getdns_bindata *octets;
        if (getdns_dict_get_bindata(dict, key, &octets) != GETDNS_RETURN_GOOD)
                return false;
        *ret_octets = span_of((const char *)octets->data, octets->size);
        return true;
}

/* The name under `key`, appended to *text. */
static bool dict_name(const getdns_dict *dict, const char *key, struct text *text)
{
        struct span wire;
        return dict_octets(dict, key, &wire) && dns_name_from_wire(wire, text);
}

static bool dict_name_is(const getdns_dict *dict, const char *key, struct span name)
{
        char buffer[WIRE_NAME_TEXT];
        struct text text;

        text_over(&text, buffer, sizeof buffer);
        return dict_name(dict, key, &text) && span_equals(text_span(&text), name);
}

static bool question_is_ours(const struct reading *reading)
{
        return dict_int(reading->response, "/header/qr", 0) == 1 &&
               dict_int(reading->response, "/header/qdcount", 0) == 1 &&
               dict_int(reading->response, "/question/qtype", 0) == (uint32_t)reading->question->type &&
               dict_int(reading->response, "/question/qclass", 0) == CLASS_IN &&
               dict_name_is(reading->response, "/question/qname", reading->question->name);
}

/* ---- records ------------------------------------------------------------------------------------------- */

/* The record at `number` if it is of `type` and belongs to the owner. */
static getdns_dict *record_of(const struct reading *reading, size_t number, uint32_t type)
{
        getdns_dict *record;

        if (getdns_list_get_dict(reading->records, number, &record) != GETDNS_RETURN_GOOD)
                return NULL;
        if (dict_int(record, "type", 0) != type || dict_int(record, "class", 0) != CLASS_IN)
                return NULL;
        return dict_name_is(record, "name", text_span(&reading->owner)) ? record : NULL;
}

static void ttl_lower(struct reading *reading, const getdns_dict *record)
{
        uint32_t ttl_s = dict_int(record, "ttl", 0);
        if (ttl_s > INT32_MAX)
                ttl_s = 0; /* RFC 2181 8 */
        if (ttl_s < reading->ttl_s)
                reading->ttl_s = ttl_s;
}

/* One step along the chain, if there is one. */
static bool link_follow(struct reading *reading)
{
        for (size_t i = 0; i < reading->record_count; i++) {
                getdns_dict *record = record_of(reading, i, DNS_CNAME);
                if (record == NULL)
                        continue;
                reading->owner.length = 0;
                ttl_lower(reading, record);
                return dict_name(record, "/rdata/cname", &reading->owner);
        }
        return false;
}

/* A record without a single string is ill-formed (RFC 1035 3.3.14), but no reason to lose those beside it: an
 * empty text. */
static bool strings_put(const getdns_dict *record, struct text *text)
{
        getdns_list *strings;
        struct span raw;
        getdns_bindata *string;

        if (getdns_dict_get_list(record, "/rdata/txt_strings", &strings) != GETDNS_RETURN_GOOD)
                return dict_octets(record, "/rdata/rdata_raw", &raw) && raw.length == 0;
        for (size_t i = 0; getdns_list_get_bindata(strings, i, &string) == GETDNS_RETURN_GOOD; i++)
                text_put(text, span_of((const char *)string->data, string->size));
        return true;
}

static bool octets_put(const getdns_dict *record, const char *key, size_t length, struct text *text)
{
        struct span octets;
        if (!dict_octets(record, key, &octets) || octets.length != length)
                return false;
        text_put(text, octets);
        return true;
}

static bool association_put(const getdns_dict *record, struct text *text)
{
        struct span octets;

        if (!dict_octets(record, "/rdata/rdata_raw", &octets) || octets.length < 3)
                return false;
        text_put(text, octets);
        return true;
}

static bool data_put(const getdns_dict *record, enum dns_type type, struct text *text)
{
        switch (type) {
        case DNS_A:
                return octets_put(record, "/rdata/ipv4_address", 4, text);
        case DNS_AAAA:
                return octets_put(record, "/rdata/ipv6_address", 16, text);
        case DNS_TXT:
                return strings_put(record, text);
        case DNS_NS:
                return dict_name(record, "/rdata/nsdname", text);
        case DNS_CNAME:
                return dict_name(record, "/rdata/cname", text);
        case DNS_SOA:
                return dict_name(record, "/rdata/mname", text);
        case DNS_PTR:
                return dict_name(record, "/rdata/ptrdname", text);
        case DNS_MX:
                return dict_name(record, "/rdata/exchange", text);
        case DNS_TLSA:
                return association_put(record, text);
        }
        return false;
}

enum gathering { GATHERED, TOO_LARGE, UNREADABLE };

static enum gathering record_add(struct reading *reading, const getdns_dict *record)
{
        size_t before = reading->data.length;

        if (reading->found_count == DNS_RECORDS_MAX)
                return TOO_LARGE;
        if (!data_put(record, reading->question->type, &reading->data))
                return reading->data.overflowed ? TOO_LARGE : UNREADABLE;
        ttl_lower(reading, record);
        reading->found[reading->found_count++] = (struct dns_record){
            span_of(reading->data.at + before, reading->data.length - before),
            (uint16_t)dict_int(record, "/rdata/preference", 0),
        };
        bool is_too_large =
            reading->data.overflowed ||
            reading->data.length + reading->found_count * sizeof *reading->found > DNS_ANSWER_OCTETS_MAX;
        return is_too_large ? TOO_LARGE : GATHERED;
}

/* When a record cannot be read, what is left of the response is not believed. */
static enum gathering records_gather(struct reading *reading)
{
        enum gathering gathering = GATHERED;

        for (size_t i = 0; gathering == GATHERED && i < reading->record_count; i++) {
                getdns_dict *record = record_of(reading, i, (uint32_t)reading->question->type);
                if (record != NULL)
                        gathering = record_add(reading, record);
        }
        return gathering;
}

/* The SOA of a negative answer (RFC 2308 5): its time lowers ttl_s. */
static bool soa_read(struct reading *reading)
{
        getdns_list *authority;
        getdns_dict *record;

        if (getdns_dict_get_list(reading->response, "authority", &authority) != GETDNS_RETURN_GOOD)
                return false;
        for (size_t i = 0; getdns_list_get_dict(authority, i, &record) == GETDNS_RETURN_GOOD; i++) {
                if (dict_int(record, "type", 0) != DNS_SOA)
                        continue;
                ttl_lower(reading, record);
                uint32_t minimum_s = dict_int(record, "/rdata/minimum", 0);
                if (minimum_s < reading->ttl_s)
                        reading->ttl_s = minimum_s;
                return true;
        }
        return false;
}

/* ---- what it comes to ---------------------------------------------------------------------------------- */

static void reply_answer(struct dns_reply *reply, enum dns_reply_kind kind, const struct dns_answer *answer)
{
        reply->answer = shared_answer_create(answer);
        reply->kind = reply->answer == NULL ? DNS_REPLY_NONE : kind;
}

static void reply_failed(struct dns_reply *reply, uint32_t rcode)
{
        reply_answer(reply, DNS_REPLY_REFUSED,
                     &(struct dns_answer){.fact = FACT_FAILED, .rcode = (uint8_t)rcode});
}

/* A server that does not ask on our behalf points to others (RFC 2308 2.2): no proof that there is no such
 * record. */
static bool is_referral(const struct reading *reading)
{
        getdns_list *authority;
        getdns_dict *record;
        bool has_servers = false;

        if (getdns_dict_get_list(reading->response, "authority", &authority) != GETDNS_RETURN_GOOD)
                return false;
        for (size_t i = 0; getdns_list_get_dict(authority, i, &record) == GETDNS_RETURN_GOOD; i++)
                has_servers |= dict_int(record, "type", 0) == DNS_NS;
        return has_servers;
}

static void reply_negative(struct reading *reading, uint32_t rcode, struct dns_reply *reply)
{
        bool has_soa = soa_read(reading);

        if (reading->links > 0 && rcode != RCODE_NXDOMAIN && !has_soa) {
                if (reading->owner.length == 0 || reading->owner.length > DNS_NAME_MAX ||
                    span_find(text_span(&reading->owner), '\\') != SIZE_MAX) {
                        reply_failed(reply, rcode);
                        return;
                }
                reply->kind = DNS_REPLY_CHAIN;
                reply->ttl_s = reading->ttl_s;
                reply->target_length = (uint8_t)reading->owner.length;
                memcpy(reply->target, reading->owner.at, reading->owner.length);
                return;
        }
        if (rcode != RCODE_NXDOMAIN && !has_soa && is_referral(reading)) {
                reply_failed(reply, rcode);
                return;
        }
        reply_answer(reply, DNS_REPLY_ANSWER,
                     &(struct dns_answer){.fact = FACT_ABSENT,
                                          .is_nxdomain = rcode == RCODE_NXDOMAIN,
                                          .rcode = (uint8_t)rcode,
                                          .ttl_s = has_soa ? reading->ttl_s : 0});
}

static void records_read(struct reading *reading, uint32_t rcode, struct dns_reply *reply)
{
        if (reading->question->type != DNS_CNAME)
                while (reading->links <= 2 * DNS_CHAIN_MAX && link_follow(reading))
                        reading->links++;
        enum gathering gathering = reading->links > 2 * DNS_CHAIN_MAX ? UNREADABLE : records_gather(reading);
        if (gathering == TOO_LARGE) {
                /* Other upstreams would say the same. */
                reply_answer(reply, DNS_REPLY_ANSWER,
                             &(struct dns_answer){.fact = FACT_FAILED, .is_too_large = true});
                return;
        }
        if (gathering == UNREADABLE) {
                reply_failed(reply, rcode);
                return;
        }
        if (reading->found_count == 0 && reading->links == 0 && reading->record_count > 0)
                return; /* bad: it answers, but nothing that was asked */
        if (reading->found_count == 0 || rcode == RCODE_NXDOMAIN) {
                reply_negative(reading, rcode, reply);
                return;
        }
        reply_answer(reply, DNS_REPLY_ANSWER,
                     &(struct dns_answer){.fact = FACT_FOUND,
                                          .ttl_s = reading->ttl_s,
                                          .record_count = reading->found_count,
                                          .records = reading->found});
}

static bool reading_begin(struct reading *reading, const getdns_dict *response,
                          const struct dns_question *question)
{
        reading->question = question;
        reading->links = 0;
        reading->ttl_s = INT32_MAX;
        reading->found_count = 0;
        text_over(&reading->data, reading->data_buffer, sizeof reading->data_buffer);
        text_over(&reading->owner, reading->owner_buffer, sizeof reading->owner_buffer);
        text_put(&reading->owner, question->name);
        return response != NULL &&
               getdns_dict_get_dict(response, "/replies_tree/0", &reading->response) == GETDNS_RETURN_GOOD;
}

void dns_reply_read(const getdns_dict *response, const struct dns_question *question,
                    struct dns_reply *ret_reply)
{
        struct reading reading;

        *ret_reply = (struct dns_reply){.kind = DNS_REPLY_NONE};
        if (!reading_begin(&reading, response, question))
                return;
        uint32_t rcode = dict_int(reading.response, "/header/rcode", UINT32_MAX);
        ret_reply->kind = DNS_REPLY_BAD;
        if (rcode == UINT32_MAX || !question_is_ours(&reading))
                return;
        if (dict_int(reading.response, "/header/tc", 0) == 1) {
                ret_reply->kind = DNS_REPLY_TRUNCATED;
                return;
        }
        if (rcode != 0 && rcode != RCODE_NXDOMAIN) {
                reply_failed(ret_reply, rcode);
                return;
        }
        if (getdns_dict_get_list(reading.response, "answer", &reading.records) != GETDNS_RETURN_GOOD ||
            getdns_list_get_length(reading.records, &reading.record_count) != GETDNS_RETURN_GOOD ||
            reading.record_count != dict_int(reading.response, "/header/ancount", UINT32_MAX))
                return;
        records_read(&reading, rcode, ret_reply);
}
