/* Addresses, times and names as feeds have them. These take what they read off *rest, and give false for what is
 * none; then *rest may be anywhere. */
#pragma once

#include "core/base/text.h"

/* "192.0.2.1", or its first octets alone. *ret_bits: 8 for each. */
bool feed_take_octets(struct span *rest, uint32_t *ret_address, unsigned *ret_bits);
/* The same with "/20" behind it. Without it one octet is too little. */
bool feed_take_cidr(struct span *rest, uint32_t *ret_address, unsigned *ret_bits);
/* The same, or "192.0.2.1-192.0.2.7", "192.0.2.1-7", "192.0-192.3". *ret_bits is 32 for a range. Host bits are as
 * they stand. */
bool feed_take_range(struct span *rest, uint32_t *ret_first, uint32_t *ret_last, unsigned *ret_bits);
/* An address as inet_aton(3) has it: the last octet that stands there is the last one, so "127.2" is 127.0.0.2. One
 * octet alone is in `network`, its other octets. False for 0.0.0.0. */
bool feed_take_value(struct span *rest, uint32_t network, uint8_t ret_address[static 4]);
/* "2001:db8::1", or its first words alone. */
bool feed_take_words(struct span *rest, uint8_t ret_address[static 16], unsigned *ret_bits);
/* The same with "/48" behind it. Without it one word is too little. */
bool feed_take_cidr6(struct span *rest, uint8_t ret_address[static 16], unsigned *ret_bits);
/* Clears all bits behind the first `bits`. True when one of them was set. */
bool feed_clear_host6(uint8_t address[static 16], unsigned bits);
/* "90", "15m", "2h", "1d", "1w", in seconds. */
bool feed_take_duration(struct span *rest, uint64_t *ret_s);
/* "2026:11:28", with ":12:30:00" or without, in seconds since 1970; "0" and "-" give 0. */
bool feed_take_moment(struct span *rest, int64_t *ret_s);
/* Appends the name as DNS is asked for it: in lower case, with A-labels, and without dots that say nothing. False
 * when it is empty, too long, or has a backslash or a U-label that is not a valid one. */
bool feed_put_name(struct text *text, struct span name);

static inline bool feed_is_space(char c)
{
        return c == ' ' || c == '\t';
}
static inline bool feed_is_comment(char c)
{
        return c == '#' || c == ';';
}
void feed_skip_spaces(struct span *rest);
/* Takes what stands before the next space, and the spaces behind it. */
struct span feed_take_word(struct span *rest);
/* The ones of a prefix of so many bits, 0 to 32. */
static inline uint32_t feed_mask(unsigned bits)
{
        return bits == 0 ? 0 : UINT32_MAX << (32 - bits);
}
