/* Addresses: text, sockets, networks. */
#include "core/base/address.h"

#include <arpa/inet.h>

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool address_is_ipv4(const struct address *address)
{
        return memcmp(address->octets, mapped_prefix, sizeof mapped_prefix) == 0;
}

struct address address_of_ipv4(const uint8_t octets[static 4])
{
        struct address address;

        memcpy(address.octets, mapped_prefix, sizeof mapped_prefix);
        memcpy(address.octets + 12, octets, 4);
        return address;
}

bool address_is_loopback(const struct address *address)
{
        static const struct address ipv6_loopback = {.octets = {[15] = 1}};
        return address_is_ipv4(address) ? address->octets[12] == 127
                                        : address_equals(address, &ipv6_loopback);
}

bool address_equals(const struct address *left, const struct address *right)
{
        return memcmp(left->octets, right->octets, sizeof left->octets) == 0;
}

/* Most of what is looked at is a name, and begins as no address does. */
static bool may_begin_address(char octet)
{
        char lower = ascii_lower(octet);
        return ascii_is_digit(octet) || octet == ':' || (lower >= 'a' && lower <= 'f');
}

bool address_parse(struct span span, struct address *ret_address)
{
        char string[INET6_ADDRSTRLEN];
        struct address address;

        if (span.length == 0 || span.length >= sizeof string || !may_begin_address(span.at[0]) ||
            memchr(span.at, '\0', span.length) != NULL)
                return false;
        memcpy(string, span.at, span.length);
        string[span.length] = '\0';
        memcpy(address.octets, mapped_prefix, sizeof mapped_prefix);
        bool is_ipv4 = span_find(span, ':') == SIZE_MAX;
        if (inet_pton(is_ipv4 ? AF_INET : AF_INET6, string, address.octets + (is_ipv4 ? 12 : 0)) != 1)
                return false;
        *ret_address = address;
        return true;
}

bool address_parse_literal(struct span span, struct address *ret_address)
{
        static const struct span tag = {"IPv6:", 5};
        if (span.length < 3 || span.at[0] != '[' || span.at[span.length - 1] != ']')
                return false;
        span = span_of(span.at + 1, span.length - 2);
        if (span_starts_nocase(span, tag)) {
                span = span_skip(span, tag.length);
                return span_find(span, ':') != SIZE_MAX && address_parse(span, ret_address);
        }
        return span_find(span, ':') == SIZE_MAX && address_parse(span, ret_address);
}

bool address_parse_loosely(struct span span, struct address *ret_address)
{
        if (address_parse_literal(span, ret_address))
                return true;
        if (span.length >= 2 && span.at[0] == '[' && span.at[span.length - 1] == ']')
                span = span_of(span.at + 1, span.length - 2);
        return address_parse(span, ret_address);
}

void address_write_ipv4(struct text *text, const uint8_t octets[static 4])
{
        for (int i = 0; i < 4; i++) {
                if (i > 0)
                        text_put_char(text, '.');
                text_put_number(text, octets[i]);
        }
}

void address_write(struct text *text, const struct address *address)
{
        char string[INET6_ADDRSTRLEN];

        if (address_is_ipv4(address)) {
                address_write_ipv4(text, address->octets + 12);
                return;
        }
        inet_ntop(AF_INET6, address->octets, string, sizeof string);
        text_put_string(text, string);
}

void address_write_string(const struct address *address, char ret_text[static ADDRESS_TEXT_MAX + 1])
{
        struct text text;

        text_over(&text, ret_text, ADDRESS_TEXT_MAX);
        address_write(&text, address);
        ret_text[text.length] = '\0';
}

void address_write_literal(struct text *text, const struct address *address)
{
        if (!address_is_ipv4(address))
                text_put(text, SPAN("IPv6:"));
        address_write(text, address);
}

bool address_shares_prefix(const struct address *left, const struct address *right, unsigned bits)
{
        const uint8_t *a = left->octets, *b = right->octets;

        if (memcmp(a, b, bits / 8) != 0)
                return false;
        return bits % 8 == 0 || ((a[bits / 8] ^ b[bits / 8]) >> (8 - bits % 8)) == 0;
}

static bool host_bits_are_zero(const struct network *network)
{
        for (unsigned bit = network->prefix; bit < 128; bit++)
                if (network->address.octets[bit / 8] & (0x80 >> (bit % 8)))
                        return false;
        return true;
}

bool network_parse(struct span span, struct network *ret_network)
{
        struct network network;
        size_t slash = span_find(span, '/');
        uint64_t prefix;

        if (!address_parse(span_of(span.at, slash == SIZE_MAX ? span.length : slash), &network.address))
                return false;
        unsigned base = address_is_ipv4(&network.address) ? 96 : 0;
        if (slash == SIZE_MAX)
                prefix = 128 - base;
        else if (!span_number(span_skip(span, slash + 1), &prefix) || prefix > 128 - base)
                return false;
        network.prefix = (uint8_t)(base + prefix);
        if (!host_bits_are_zero(&network))
                return false;
        *ret_network = network;
        return true;
}

void network_write(struct text *text, const struct network *network)
{
        address_write(text, &network->address);
        text_put_char(text, '/');
        text_put_number(text, network->prefix - (address_is_ipv4(&network->address) ? 96U : 0U));
}

struct network network_of(const struct address *address, unsigned prefix)
{
        struct network network = {.prefix = (uint8_t)prefix};

        memcpy(network.address.octets, address->octets, prefix / 8);
        if (prefix % 8 != 0)
                network.address.octets[prefix / 8] =
                    (uint8_t)(address->octets[prefix / 8] & ~(0xff >> prefix % 8));
        return network;
}

bool network_contains(const struct network *network, const struct address *address)
{
        /* An IPv6 /0 must not take in IPv4: the families are matched apart. */
        if (address_is_ipv4(address) != address_is_ipv4(&network->address))
                return false;
        return address_shares_prefix(&network->address, address, network->prefix);
}

bool network_list_contains(const struct network_list *list, const struct address *address)
{
        for (size_t i = 0; i < list->count; i++)
                if (network_contains(&list->networks[i], address))
                        return true;
        return false;
}
