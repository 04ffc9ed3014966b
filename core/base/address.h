/* IP addresses and networks. IPv4 is held in its IPv4-mapped form (RFC 4291 2.5.5.2), so that every address
 * has one form. */
#pragma once

#include "core/base/text.h"

struct address {
        uint8_t octets[16];
};

/* The longest text of an address has so many octets, without a terminator. */
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
/* Reads an IPv4 dotted quad or an IPv6 text (RFC 4291 2.2) with nothing around it. An IPv4-mapped IPv6
 * address gives the IPv4 address. False, and nothing written, when it is neither. */
bool address_parse(struct span span, struct address *ret_address);
/* Reads an address literal with its brackets (RFC 5321 4.1.3): "[192.0.2.1]", "[IPv6:2001:db8::1]". */
bool address_parse_literal(struct span span, struct address *ret_address);
/* Reads what a client may mean in HELO: a literal, one of IPv6 without its tag ("[2001:db8::1]"), or an address with
 * nothing around it. */
bool address_parse_loosely(struct span span, struct address *ret_address);
/* Appends the four octets as "192.0.2.1". */
void address_write_ipv4(struct text *text, const uint8_t octets[static 4]);
/* Appends "192.0.2.1" or "2001:db8::1". */
void address_write(struct text *text, const struct address *address);
/* Writes the same, with a terminator. */
void address_write_string(const struct address *address, char ret_text[static ADDRESS_TEXT_MAX + 1]);
/* Appends the address as a literal has it, without brackets: "192.0.2.1" or "IPv6:2001:db8::1". */
void address_write_literal(struct text *text, const struct address *address);

/* Reads "192.0.2.0/24", "2001:db8::/32" or one address. False when it is none, or has host bits that are
 * not zero. */
bool network_parse(struct span span, struct network *ret_network);
/* Appends the same text, always with its prefix. */
void network_write(struct text *text, const struct network *network);
/* True when the first `bits` bits of both are the same. */
bool address_shares_prefix(const struct address *left, const struct address *right, unsigned bits);
/* Returns the network that the address is in. `prefix` counts as in struct network. */
struct network network_of(const struct address *address, unsigned prefix);
/* The families are kept apart: no IPv6 network contains an IPv4 address. */
bool network_contains(const struct network *network, const struct address *address);
bool network_list_contains(const struct network_list *list, const struct address *address);
