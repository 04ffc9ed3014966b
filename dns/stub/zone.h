/* The names of the stub server, with their records in wire form and their behaviour. Only dns/stub/ includes
 * this. */
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

/* Reads the text of a zone. False with "LINE: ..." in *ret_error when it is wrong. The zone is to be ended in
 * both cases. */
bool stub_zone_load(struct stub_zone *zone, struct span text, struct text *ret_error);
void stub_zone_end(struct stub_zone *zone);
/* Returns exactly this name, which is in normal form, or NULL when it is not there. */
struct stub_name *stub_zone_find(const struct stub_zone *zone, struct span name);
/* Returns the name itself, or the wildcard that covers it (RFC 4592 3.3). NULL means NXDOMAIN. */
struct stub_name *stub_zone_match(const struct stub_zone *zone, struct span name);
/* Returns the closest name with an SOA, at the name or above it, or NULL when there is none. */
const struct stub_name *stub_zone_apex(const struct stub_zone *zone, struct span name);

/* Appends the wire form of a name in normal form; "" is the root. False, with *wire overflowed, when it does
 * not fit. */
bool stub_name_to_wire(struct span name, struct text *wire);
