/* Addresses, times and names of feeds, as rbldnsd(8) has them. */
#include "core/feed/numbers.h"

#include "core/base/domain_name.h"

#include <time.h>

#define LABEL_MAX 63

static bool starts(const struct span *rest, char c)
{
        return rest->length > 0 && rest->at[0] == c;
}

static void skip(struct span *rest)
{
        *rest = span_of(rest->at + 1, rest->length - 1);
}

static bool take_char(struct span *rest, char c)
{
        if (!starts(rest, c))
                return false;
        skip(rest);
        return true;
}

void feed_skip_spaces(struct span *rest)
{
        while (rest->length > 0 && feed_is_space(rest->at[0]))
                skip(rest);
}

struct span feed_take_word(struct span *rest)
{
        size_t length = 0;

        while (length < rest->length && !feed_is_space(rest->at[length]))
                length++;
        struct span word = span_of(rest->at, length);
        *rest = span_skip(*rest, length);
        feed_skip_spaces(rest);
        return word;
}

/* Up to `digits_max` digits, and `max`. */
static bool take_number(struct span *rest, unsigned digits_max, uint64_t max, uint64_t *ret_number)
{
        uint64_t number = 0;
        unsigned digits = 0;

        for (; digits < digits_max && rest->length > 0 && ascii_is_digit(rest->at[0]); digits++, skip(rest)) {
                number = number * 10 + (uint64_t)(rest->at[0] - '0');
                if (number > max)
                        return false;
        }
        *ret_number = number;
        return digits > 0;
}

/* ---- IPv4 ----------------------------------------------------------------------------------------------- */

bool feed_take_octets(struct span *rest, uint32_t *ret_address, unsigned *ret_bits)
{
        uint32_t address = 0;
        unsigned bits = 0;
        uint64_t octet;

        do {
                if (!take_number(rest, UINT32_MAX, 255, &octet))
                        return false;
                address |= (uint32_t)octet << (24 - bits);
                bits += 8;
        } while (bits < 32 && take_char(rest, '.'));
        *ret_address = address;
        *ret_bits = bits;
        return true;
}

static bool take_bits(struct span *rest, unsigned max, unsigned *ret_bits)
{
        uint64_t number;

        if (!take_number(rest, UINT32_MAX, max, &number))
                return false;
        *ret_bits = (unsigned)number;
        return true;
}

bool feed_take_cidr(struct span *rest, uint32_t *ret_address, unsigned *ret_bits)
{
        if (!feed_take_octets(rest, ret_address, ret_bits))
                return false;
        return take_char(rest, '/') ? take_bits(rest, 32, ret_bits) : *ret_bits > 8;
}

bool feed_take_range(struct span *rest, uint32_t *ret_first, uint32_t *ret_last, unsigned *ret_bits)
{
        unsigned bits, last_bits;
        uint32_t last;

        if (!feed_take_octets(rest, ret_first, &bits))
                return false;
        if (!take_char(rest, '-')) {
                if (take_char(rest, '/') ? !take_bits(rest, 32, &bits) : bits == 8)
                        return false;
                *ret_bits = bits;
                *ret_last = *ret_first | ~feed_mask(bits);
                return true;
        }
        if (!feed_take_octets(rest, &last, &last_bits))
                return false;
        /* One octet stands for the last one of the first address. */
        if (last_bits == 8)
                last = last >> (bits - 8) | (*ret_first & feed_mask(bits - 8));
        else if (last_bits != bits)
                return false;
        *ret_last = last | ~feed_mask(bits);
        *ret_bits = 32;
        return *ret_first <= *ret_last;
}

bool feed_take_value(struct span *rest, uint32_t network, uint8_t ret_address[static 4])
{
        uint32_t address;
        unsigned bits;

        if (!feed_take_octets(rest, &address, &bits))
                return false;
        uint32_t front = address & feed_mask(bits - 8), last = address >> (32 - bits) & 255;
        address = front | last;
        if (address == 0)
                return false;
        if (bits == 8)
                address |= network;
        for (int i = 0; i < 4; i++)
                ret_address[i] = (uint8_t)(address >> (24 - 8 * i));
        return true;
}

/* ---- IPv6 ----------------------------------------------------------------------------------------------- */

static bool take_word(struct span *rest, uint32_t *ret_word)
{
        uint32_t word = 0;
        size_t digits = 0;

        for (; rest->length > 0 && ascii_hex_value(rest->at[0]) >= 0; digits++, skip(rest)) {
                word = word << 4 | (uint32_t)ascii_hex_value(rest->at[0]);
                if (word > 0xffff)
                        return false;
        }
        *ret_word = word;
        return digits > 0;
}

/* The words behind "::" go to the end. */
static bool spread(uint8_t address[static 16], size_t zeros_at, size_t octets)
{
        size_t zeros = 16 - octets;

        memmove(address + zeros_at + zeros, address + zeros_at, octets - zeros_at);
        memset(address + zeros_at, 0, zeros);
        return zeros > 0;
}

static bool take_zeros(struct span *rest)
{
        if (rest->length < 2 || rest->at[0] != ':' || rest->at[1] != ':')
                return false;
        skip(rest);
        skip(rest);
        return true;
}

bool feed_take_words(struct span *rest, uint8_t ret_address[static 16], unsigned *ret_bits)
{
        size_t octets = 0, zeros_at = SIZE_MAX;
        uint32_t word;

        memset(ret_address, 0, 16);
        if (take_zeros(rest))
                zeros_at = 0;
        while (octets < 16) {
                if (rest->length == 0 || ascii_hex_value(rest->at[0]) < 0) {
                        /* Only behind "::" nothing need follow. */
                        if (zeros_at != octets)
                                return false;
                        break;
                }
                if (!take_word(rest, &word))
                        return false;
                ret_address[octets++] = (uint8_t)(word >> 8);
                ret_address[octets++] = (uint8_t)word;
                if (zeros_at == SIZE_MAX && take_zeros(rest))
                        zeros_at = octets;
                else if (octets == 16 || !take_char(rest, ':'))
                        break;
        }
        *ret_bits = zeros_at != SIZE_MAX ? 128 : (unsigned)octets * 8;
        return zeros_at == SIZE_MAX || spread(ret_address, zeros_at, octets);
}

bool feed_take_cidr6(struct span *rest, uint8_t ret_address[static 16], unsigned *ret_bits)
{
        if (!feed_take_words(rest, ret_address, ret_bits))
                return false;
        return take_char(rest, '/') ? take_bits(rest, 128, ret_bits) : *ret_bits > 16;
}

bool feed_clear_host6(uint8_t address[static 16], unsigned bits)
{
        bool was_set = false;

        for (unsigned i = bits / 8; i < 16; i++) {
                uint8_t kept = i == bits / 8 ? (uint8_t)(0xff00 >> bits % 8) : 0;
                was_set |= (address[i] & (uint8_t)~kept) != 0;
                address[i] &= kept;
        }
        return was_set;
}

/* ---- times ---------------------------------------------------------------------------------------------- */

bool feed_take_duration(struct span *rest, uint64_t *ret_s)
{
        static const struct {
                char unit;
                uint32_t seconds;
        } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};

        if (!take_number(rest, UINT32_MAX, UINT32_MAX, ret_s))
                return false;
        for (size_t i = 0; i < sizeof units / sizeof *units; i++)
                if (rest->length > 0 && ascii_lower(rest->at[0]) == units[i].unit) {
                        *ret_s *= units[i].seconds;
                        skip(rest);
                        break;
                }
        return rest->length == 0 || feed_is_space(rest->at[0]);
}

bool feed_take_moment(struct span *rest, int64_t *ret_s)
{
        static const struct {
                unsigned digits;
                uint64_t min, max;
        } parts[] = {{4, 1970, 9999}, {2, 1, 12}, {2, 1, 31}, {2, 0, 23}, {2, 0, 59}, {2, 0, 59}};
        uint64_t read[6] = {0};

        if ((starts(rest, '0') || starts(rest, '-')) && (rest->length == 1 || feed_is_space(rest->at[1]))) {
                skip(rest);
                *ret_s = 0;
                return true;
        }
        for (size_t i = 0; i < 6 && (i < 3 || (rest->length > 0 && !feed_is_space(rest->at[0]))); i++) {
                if (!take_number(rest, parts[i].digits, parts[i].max, &read[i]) || read[i] < parts[i].min)
                        return false;
                if (!take_char(rest, ':'))
                        take_char(rest, '-');
        }
        struct tm moment = {.tm_year = (int)read[0] - 1900,
                            .tm_mon = (int)read[1] - 1,
                            .tm_mday = (int)read[2],
                            .tm_hour = (int)read[3],
                            .tm_min = (int)read[4],
                            .tm_sec = (int)read[5]};
        *ret_s = timegm(&moment);
        return rest->length == 0 || feed_is_space(rest->at[0]);
}

/* ---- names ---------------------------------------------------------------------------------------------- */

bool feed_put_name(struct text *text, struct span name)
{
        size_t begin = text->length;
        char octets[DOMAIN_NAME_MAX];
        struct text ascii;

        text_over(&ascii, octets, sizeof octets);
        if (!span_is_ascii(name)) {
                if (!domain_name_to_ascii(domain_name_without_dot(name), &ascii))
                        return false;
                name = text_span(&ascii);
        }
        while (name.length > 0) {
                size_t dot = span_find(name, '.');
                struct span label = span_of(name.at, dot == SIZE_MAX ? name.length : dot);
                name = span_skip(name, label.length + 1);
                if (label.length > LABEL_MAX || span_find(label, '\\') != SIZE_MAX)
                        return false;
                if (label.length == 0)
                        continue;
                if (text->length > begin)
                        text_put_char(text, '.');
                text_put_lower(text, label);
        }
        return text->length > begin && text->length - begin < DOMAIN_NAME_MAX && !text->overflowed;
}
