/* The names of the stub server, their records in wire form and their behaviour; for dns/ only. */
#pragma once

#include "dns/fact.h"
#include "dns/name.h"

struct stub_record {
        struct stub_record *next;
        uint16_t type;
        uint32_t ttl_s;
        bool is_of_address; /* data is made from the asked name, see "!host" in stub.h */
        struct span target; /* of a CNAME, in normal form */
        struct span data;   /* wire form, uncompressed */
};

struct stub_name {
        struct stub_name *next; /* in the bucket */
        struct span name;
        struct stub_record *records; /* in the order of the text */
        uint32_t latency_ms, loss_percent;
        uint8_t rcode;
        bool is_truncated, is_silent, is_unchased;
};

#define STUB_BUCKETS 4096

struct stub_zone {
        struct block_pool blocks;
        struct arena memory;
        struct stub_name *buckets[STUB_BUCKETS];
        struct stub_name root; /* has an SOA at most */
};

/* False with "LINE: ..." in *ret_error; to be ended in both cases. */
bool stub_zone_load(struct stub_zone *zone, struct span text, struct text *ret_error);
void stub_zone_end(struct stub_zone *zone);
/* Exactly this name, in normal form. NULL: not there. */
struct stub_name *stub_zone_find(const struct stub_zone *zone, struct span name);
/* The name itself or the wildcard that covers it (RFC 4592 3.3). NULL: NXDOMAIN. */
struct stub_name *stub_zone_match(const struct stub_zone *zone, struct span name);
/* The closest name at or above with an SOA, the root too. NULL: none. */
const struct stub_name *stub_zone_apex(const struct stub_zone *zone, struct span name);

/* Wire form of a name in normal form ("" is the root). False, with *wire overflowed, when it does not fit. */
bool stub_name_to_wire(struct span name, struct text *wire);
