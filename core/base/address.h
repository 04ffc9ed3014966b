/* IP addresses and networks. IPv4 is held in its IPv4-mapped form (RFC 4291 2.5.5.2), so that every address
 * has one form. */
#pragma once

#include "core/base/text.h"

struct address {
        uint8_t octets[16];
};

/* Longest text: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" without a terminator. */
#define ADDRESS_TEXT_MAX 46

struct network {
        struct address address; /* host bits zero */
        uint8_t prefix;         /* 0..128, in the 16-octet form: an IPv4 /24 is 120 */
};

struct network_list {
        struct network *networks;
        size_t count;
};

bool address_is_ipv4(const struct address *address);
/* The IPv4 address of these four octets, IPv4-mapped. */
struct address address_of_ipv4(const uint8_t octets[static 4]);
bool address_is_loopback(const struct address *address);
bool address_equals(const struct address *left, const struct address *right);
/* IPv4 dotted quad or IPv6 text (RFC 4291 2.2), nothing around it. IPv4-mapped IPv6 gives the IPv4
 * address. */
bool address_parse(struct span span, struct address *ret_address);
/* The inside of an RFC 5321 4.1.3 literal with its brackets: "[192.0.2.1]", "[IPv6:2001:db8::1]". */
bool address_parse_literal(struct span span, struct address *ret_address);
/* "192.0.2.1" of the four octets. */
void address_write_ipv4(struct text *text, const uint8_t octets[static 4]);
void address_write(struct text *text, const struct address *address);
/* As inside a literal: "192.0.2.1" or "IPv6:2001:db8::1". */
void address_write_literal(struct text *text, const struct address *address);

/* "192.0.2.0/24", "2001:db8::/32" or one address. Host bits must be zero. */
bool network_parse(struct span span, struct network *ret_network);
/* The same text, always with its prefix. */
void network_write(struct text *text, const struct network *network);
/* Their first bits are the same. */
bool address_shares_prefix(const struct address *left, const struct address *right, unsigned bits);
/* The network of the address. `prefix`: as in struct network. */
struct network network_of(const struct address *address, unsigned prefix);
/* The families are matched apart: no network of IPv6 contains an IPv4 address. */
bool network_contains(const struct network *network, const struct address *address);
bool network_list_contains(const struct network_list *list, const struct address *address);
