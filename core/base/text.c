/* Spans and bounded texts. No allocation, no locale. */
#include "core/base/text.h"

#include "core/base/octets.h"

#include <stdarg.h>
#include <stdio.h>
#include <unictype.h>

/* ---- spans --------------------------------------------------------------------------------------------- */

bool span_equals(struct span left, struct span right)
{
        return left.length == right.length &&
               (left.length == 0 || memcmp(left.at, right.at, left.length) == 0);
}

static bool equal_eight_nocase(const char *left, const char *right)
{
        uint64_t octets, others;

        memcpy(&octets, left, sizeof octets);
        memcpy(&others, right, sizeof others);
        return octets == others || octets_lower(octets) == octets_lower(others);
}

/* The last eight octets may be compared twice. */
bool span_equals_nocase(struct span left, struct span right)
{
        size_t length = left.length;

        if (length != right.length)
                return false;
        if (length >= 8) {
                for (size_t at = 0; at + 8 < length; at += 8)
                        if (!equal_eight_nocase(left.at + at, right.at + at))
                                return false;
                return equal_eight_nocase(left.at + length - 8, right.at + length - 8);
        }
        for (size_t i = 0; i < length; i++)
                if (ascii_lower(left.at[i]) != ascii_lower(right.at[i]))
                        return false;
        return true;
}

bool span_starts_nocase(struct span whole, struct span start)
{
        return whole.length >= start.length && span_equals_nocase(span_of(whole.at, start.length), start);
}

bool span_ends_nocase(struct span whole, struct span end)
{
        return whole.length >= end.length &&
               span_equals_nocase(span_of(whole.at + whole.length - end.length, end.length), end);
}

size_t span_find(struct span span, char octet)
{
        const char *hit = span.length == 0 ? NULL : memchr(span.at, octet, span.length);
        return hit == NULL ? SIZE_MAX : (size_t)(hit - span.at);
}

size_t span_find_last(struct span span, char octet)
{
        const char *hit = span.length == 0 ? NULL : memrchr(span.at, octet, span.length);
        return hit == NULL ? SIZE_MAX : (size_t)(hit - span.at);
}

struct span span_skip(struct span span, size_t offset)
{
        if (offset > span.length)
                offset = span.length;
        return span_of(span.at + offset, span.length - offset);
}

struct span span_take_until(struct span *rest, char octet)
{
        size_t end = span_find(*rest, octet);
        struct span taken = span_of(rest->at, end < rest->length ? end : rest->length);
        *rest = span_skip(*rest, taken.length + 1);
        return taken;
}

struct span span_trim(struct span span)
{
        while (span.length > 0 && (span.at[0] == ' ' || span.at[0] == '\t'))
                span = span_skip(span, 1);
        while (span.length > 0 && (span.at[span.length - 1] == ' ' || span.at[span.length - 1] == '\t'))
                span.length--;
        return span;
}

struct span span_without_mark(struct span text)
{
        static const struct span mark = {"\xef\xbb\xbf", 3};
        return span_equals(span_of(text.at, text.length < mark.length ? text.length : mark.length), mark)
                   ? span_skip(text, mark.length)
                   : text;
}

bool span_number(struct span span, uint64_t *ret_number)
{
        uint64_t number = 0;
        if (span.length == 0)
                return false;
        for (size_t i = 0; i < span.length; i++) {
                if (!ascii_is_digit(span.at[i]))
                        return false;
                if (__builtin_mul_overflow(number, 10, &number) ||
                    __builtin_add_overflow(number, (uint64_t)(span.at[i] - '0'), &number))
                        return false;
        }
        *ret_number = number;
        return true;
}

/* Octets of the well-formed sequence at the start of the span (RFC 3629 4); 0 if there is none. */
static size_t utf8_sequence(struct span span)
{
        const unsigned char *at = (const unsigned char *)span.at;
        unsigned char low = 0x80, high = 0xbf;
        size_t length;

        if (at[0] < 0x80)
                return 1;
        if (at[0] < 0xc2 || at[0] > 0xf4)
                return 0;
        length = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
        if (at[0] == 0xe0)
                low = 0xa0;
        if (at[0] == 0xed)
                high = 0x9f;
        if (at[0] == 0xf0)
                low = 0x90;
        if (at[0] == 0xf4)
                high = 0x8f;
        if (span.length < length || at[1] < low || at[1] > high)
                return 0;
        for (size_t i = 2; i < length; i++)
                if (at[i] < 0x80 || at[i] > 0xbf)
                        return 0;
        return length;
}

/* Of a well-formed sequence. */
static uint32_t utf8_character(const char *at, size_t length)
{
        static const unsigned char lead_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
        uint32_t character = (unsigned char)at[0] & lead_bits[length];

        for (size_t i = 1; i < length; i++)
                character = character << 6 | ((unsigned char)at[i] & 0x3f);
        return character;
}

/* What a terminal obeys, what ends a line for some readers, what turns the direction of text about, and what
 * is not seen at all: with these a stranger could make a line of the log say something else. */
static bool is_treacherous(uint32_t character)
{
        return uc_is_general_category_withtable(character, UC_CATEGORY_MASK_Cc | UC_CATEGORY_MASK_Cf |
                                                               UC_CATEGORY_MASK_Zl | UC_CATEGORY_MASK_Zp) ||
               uc_is_property_default_ignorable_code_point(character) ||
               uc_is_property_not_a_character(character);
}

/* Octets of the sequence at the start that may stand as it is; 0 if there is none. */
static size_t plain_sequence(struct span span)
{
        size_t length = utf8_sequence(span);

        return length > 0 && is_treacherous(utf8_character(span.at, length)) ? 0 : length;
}

/* Most text is ASCII all through: eight octets at a time. */
static size_t ascii_length(struct span span)
{
        size_t length = 0;
        uint64_t octets;

        for (; length + sizeof octets <= span.length; length += sizeof octets) {
                memcpy(&octets, span.at + length, sizeof octets);
                if ((octets & OCTETS_HIGH_BITS) != 0)
                        break;
        }
        while (length < span.length && (unsigned char)span.at[length] < 0x80)
                length++;
        return length;
}

bool span_has_control(struct span span)
{
        size_t i = 0;
        uint64_t octets;

        for (; i + sizeof octets <= span.length; i += sizeof octets) {
                memcpy(&octets, span.at + i, sizeof octets);
                if ((octets_below_space(octets) | octets_zero(octets ^ 0x7f7f7f7f7f7f7f7f)) != 0)
                        break; /* or above such a one: the octets tell */
        }
        while (i < span.length && !ascii_is_control(span.at[i]))
                i++;
        return i < span.length;
}

bool span_is_utf8(struct span span)
{
        span = span_skip(span, ascii_length(span));
        while (span.length > 0) {
                size_t length = utf8_sequence(span);
                if (length == 0)
                        return false;
                span = span_skip(span, length);
        }
        return true;
}

bool span_is_ascii(struct span span)
{
        return ascii_length(span) == span.length;
}

/* ---- texts --------------------------------------------------------------------------------------------- */

void text_put(struct text *text, struct span bytes)
{
        if (bytes.length > text_room(text)) {
                text->overflowed = true;
                return;
        }
        if (bytes.length > 0)
                memcpy(text->at + text->length, bytes.at, bytes.length);
        text->length += bytes.length;
}

void text_put_char(struct text *text, char c)
{
        text_put(text, span_of(&c, 1));
}

/* As much as fits, as with octets that come one by one. */
void text_put_lower(struct text *text, struct span ascii)
{
        size_t length = ascii.length < text_room(text) ? ascii.length : text_room(text), i = 0;
        char *to = text->at + text->length;
        uint64_t octets;

        text->overflowed |= length < ascii.length;
        for (; i + sizeof octets <= length; i += sizeof octets) {
                memcpy(&octets, ascii.at + i, sizeof octets);
                octets = octets_lower(octets);
                memcpy(to + i, &octets, sizeof octets);
        }
        for (; i < length; i++)
                to[i] = ascii_lower(ascii.at[i]);
        text->length += length;
}

void text_put_hex(struct text *text, const uint8_t *octets, size_t count)
{
        static const char digits[] = "0123456789abcdef";

        for (size_t i = 0; i < count; i++) {
                text_put_char(text, digits[octets[i] >> 4]);
                text_put_char(text, digits[octets[i] & 15]);
        }
}

static __attribute__((noinline)) void put_digits(struct text *text, uint64_t number)
{
        char digits[20];
        size_t at = sizeof digits;
        do {
                digits[--at] = (char)('0' + number % 10);
                number /= 10;
        } while (number > 0);
        text_put(text, span_of(digits + at, sizeof digits - at));
}

/* Most numbers have one digit, and need no room of their own. */
void text_put_number(struct text *text, uint64_t number)
{
        if (number < 10)
                text_put_char(text, (char)('0' + number));
        else
                put_digits(text, number);
}

void text_printf(struct text *text, const char *format, ...)
{
        char line[1024];
        va_list arguments;
        va_start(arguments, format);
        int length = vsnprintf(line, sizeof line, format, arguments);
        va_end(arguments);
        if (length < 0 || (size_t)length >= sizeof line)
                text->overflowed = true;
        else
                text_put(text, span_of(line, (size_t)length));
}

void text_put_printable(struct text *text, struct span bytes, bool utf8)
{
        while (bytes.length > 0) {
                size_t plain = 0;
                while (plain < bytes.length && bytes.at[plain] >= 0x20 && bytes.at[plain] < 0x7f)
                        plain++;
                /* As much as fits, as with octets that come one by one. */
                text->overflowed |= plain > text_room(text);
                plain = plain < text_room(text) ? plain : text_room(text);
                text_put(text, span_of(bytes.at, plain));
                bytes = span_skip(bytes, plain);
                if (bytes.length == 0 || text_room(text) == 0)
                        break;
                size_t length = utf8 ? utf8_sequence(bytes) : 0;
                if (length > 0 && plain_sequence(bytes) > 0)
                        text_put(text, span_of(bytes.at, length));
                else
                        text_put_char(text, '?');
                bytes = span_skip(bytes, length > 0 ? length : 1);
        }
}

/* None of the eight octets needs a look: no control, quote, backslash, DEL, nothing beyond ASCII. */
static bool json_all_plain(const char *at)
{
        uint64_t octets;

        memcpy(&octets, at, sizeof octets);
        return (octets_below_space(octets) | (octets & OCTETS_HIGH_BITS) |
                octets_zero(octets ^ 0x2222222222222222) | octets_zero(octets ^ 0x5c5c5c5c5c5c5c5c) |
                octets_zero(octets ^ 0x7f7f7f7f7f7f7f7f)) == 0;
}

static size_t json_plain_length(struct span bytes)
{
        size_t i = 0;
        while (i + sizeof(uint64_t) <= bytes.length && json_all_plain(bytes.at + i))
                i += sizeof(uint64_t);
        for (unsigned char c; i < bytes.length; i++) {
                c = (unsigned char)bytes.at[i];
                if (c - 0x20u >= 0x7f - 0x20 || c == '"' || c == '\\')
                        break;
        }
        return i;
}

static void json_put_escape(struct text *text, uint32_t unit)
{
        text_put(text, SPAN("\\u"));
        text_put_hex(text, (const uint8_t[]){(uint8_t)(unit >> 8), (uint8_t)unit}, 2);
}

/* Beyond the first 65536 characters by a pair of surrogates (RFC 8259 7). */
static void json_put_character(struct text *text, uint32_t character)
{
        if (character >= 0x10000) {
                json_put_escape(text, 0xd800 + ((character - 0x10000) >> 10));
                character = 0xdc00 + ((character - 0x10000) & 0x3ff);
        }
        json_put_escape(text, character);
}

static size_t json_put_special(struct text *text, struct span bytes)
{
        unsigned char octet = (unsigned char)bytes.at[0];
        size_t length = utf8_sequence(bytes);

        if (octet == '"' || octet == '\\') {
                text_put(text, span_of((char[]){'\\', (char)octet}, 2));
                return 1;
        }
        if (plain_sequence(bytes) > 1) {
                text_put(text, span_of(bytes.at, length));
                return length;
        }
        if (length > 1) {
                json_put_character(text, utf8_character(bytes.at, length));
                return length;
        }
        if (octet == '\0') {
                /* RFC 8259 has it, but too many who read logs cannot store it. */
                text_put(text, SPAN("\\ufffd"));
                return 1;
        }
        json_put_escape(text, octet);
        return 1;
}

void text_put_json(struct text *text, struct span bytes)
{
        text_put_char(text, '"');
        while (bytes.length > 0) {
                size_t plain = json_plain_length(bytes);
                text_put(text, span_of(bytes.at, plain));
                bytes = span_skip(bytes, plain);
                if (bytes.length > 0)
                        bytes = span_skip(bytes, json_put_special(text, bytes));
        }
        text_put_char(text, '"');
}
