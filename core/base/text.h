/* Text in two shapes: a span is borrowed and read, a text is owned by its maker and appended to within a
 * bound. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Borrowed bytes, not terminated; valid as long as what they point into. */
struct span {
        const char *at;
        size_t length;
};

#define SPAN(literal) ((struct span){(literal), sizeof(literal) - 1})

static inline struct span span_of(const char *at, size_t length)
{
        return (struct span){at, length};
}

static inline struct span span_from(const char *string)
{
        return (struct span){string, strlen(string)};
}

bool span_equals(struct span left, struct span right);
/* ASCII letters without regard to case; other octets exactly. */
bool span_equals_nocase(struct span left, struct span right);
bool span_starts_nocase(struct span whole, struct span start);
bool span_ends_nocase(struct span whole, struct span end);
/* Offset of the first (last) `octet`, or SIZE_MAX. */
size_t span_find(struct span span, char octet);
size_t span_find_last(struct span span, char octet);
/* From `offset` to the end; offsets past the end give an empty span. */
struct span span_skip(struct span span, size_t offset);
/* Cuts the first word off, with the space behind it; empty when two spaces meet, or nothing is left. */
struct span span_take_word(struct span *rest);
/* Without leading and trailing spaces and tabs. */
struct span span_trim(struct span span);
/* Without the byte order mark that some editors put before UTF-8 (RFC 3629 6). */
struct span span_without_mark(struct span text);
/* Decimal digits only, all of them; false, with *ret_number untouched, on anything else or above
 * UINT64_MAX. */
bool span_number(struct span span, uint64_t *ret_number);
/* Well-formed by RFC 3629: no overlong form, no surrogate, at most U+10FFFF. */
bool span_is_utf8(struct span span);
bool span_is_ascii(struct span span);

/* ASCII only, whatever the locale says. */
static inline char ascii_lower(char c)
{
        return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static inline bool ascii_is_alpha(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool ascii_is_digit(char c)
{
        return c >= '0' && c <= '9';
}

static inline bool ascii_is_alnum(char c)
{
        return ascii_is_alpha(c) || ascii_is_digit(c);
}

/* atext of RFC 5322 3.2.3. */
static inline bool ascii_is_atext(char c)
{
        static const uint64_t members[2] = {0xa3ffacfa00000000, 0x7fffffffc7fffffe};
        unsigned char octet = (unsigned char)c;
        return octet < 0x80 && (members[octet / 64] >> octet % 64 & 1);
}

/* C0 controls and DEL. */
static inline bool ascii_is_control(char c)
{
        return (unsigned char)c < 0x20 || c == 0x7f;
}

/* A bounded buffer that is appended to. What does not fit is left out whole, and `overflowed` says so. */
struct text {
        char *at;
        size_t length;
        size_t size;
        bool overflowed;
};

static inline void text_over(struct text *text, char *buffer, size_t size)
{
        *text = (struct text){.at = buffer, .size = size};
}

static inline size_t text_room(const struct text *text)
{
        return text->size - text->length;
}

static inline struct span text_span(const struct text *text)
{
        return (struct span){text->at, text->length};
}

void text_put(struct text *text, struct span bytes);
void text_put_char(struct text *text, char c);
void text_put_string(struct text *text, const char *string);
void text_put_number(struct text *text, uint64_t number);
void text_put_lower(struct text *text, struct span ascii);
/* Two digits each, in lower case. */
void text_put_hex(struct text *text, const uint8_t *octets, size_t count);
/* For rare paths: snprintf underneath. */
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* For a reply or a header: what is not printable ASCII (nor, when `utf8`, part of well-formed UTF-8) becomes
 * '?'. */
void text_put_printable(struct text *text, struct span bytes, bool utf8);
/* A JSON string with its quotes (RFC 8259): control characters, quotes and ill-formed UTF-8 are escaped; NUL
 * becomes U+FFFD. */
void text_put_json(struct text *text, struct span bytes);
