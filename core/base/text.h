/* Text in two shapes. A span is borrowed and only read. A text is a buffer of its maker's that is appended to
 * within its bound. */
#pragma once

/* The digits of a number that is a macro, as a literal. */
#define AS_TEXT(number)  AS_TEXT2(number)
#define AS_TEXT2(number) #number

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Borrowed octets without a terminator. They are valid as long as what they lie in. */
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

/* Copies as much as has room, and ends it with a NUL. */
static inline void span_copy_cut(struct span span, char *ret_text, size_t room)
{
        size_t length = span.length < room ? span.length : room - 1;

        if (length > 0)
                memcpy(ret_text, span.at, length);
        ret_text[length] = '\0';
}

bool span_equals(struct span left, struct span right);
/* These compare ASCII letters without regard to case, and other octets exactly. */
bool span_equals_nocase(struct span left, struct span right);
bool span_starts_nocase(struct span whole, struct span start);
bool span_ends_nocase(struct span whole, struct span end);
/* These return the offset of the first or the last `octet`, or SIZE_MAX when there is none. */
size_t span_find(struct span span, char octet);
size_t span_find_last(struct span span, char octet);
/* Returns what stands from `offset` on. An offset past the end gives an empty span. */
struct span span_skip(struct span span, size_t offset);
/* Cuts what stands before the first `octet` off *rest, and that octet with it, and returns what stood before it: all
 * of *rest where there is no such octet. */
struct span span_take_until(struct span *rest, char octet);
/* The same with a space: a word. It is empty when two spaces meet, or nothing is left. */
static inline struct span span_take_word(struct span *rest)
{
        return span_take_until(rest, ' ');
}
/* Returns the span without leading and trailing spaces and tabs. */
struct span span_trim(struct span span);
/* Returns the text without the byte order mark that some editors put before UTF-8 (RFC 3629 6). */
struct span span_without_mark(struct span text);
/* Reads a number of decimal digits and nothing else. False, with *ret_number untouched, for anything else and
 * for numbers above UINT64_MAX. */
bool span_number(struct span span, uint64_t *ret_number);
/* True when the octets are well-formed UTF-8 (RFC 3629): no overlong form, no surrogate, nothing above
 * U+10FFFF. */
bool span_is_utf8(struct span span);
bool span_is_ascii(struct span span);
/* True when one of the octets is a C0 control or DEL. */
bool span_has_control(struct span span);

/* These know ASCII alone, whatever the locale says. */
static inline char ascii_lower(char c)
{
        return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static inline bool ascii_is_alpha(char c)
{
        return (unsigned char)((c | 0x20) - 'a') < 26; /* the bit 0x20 is the case */
}

static inline bool ascii_is_digit(char c)
{
        return c >= '0' && c <= '9';
}

static inline bool ascii_is_alnum(char c)
{
        return ascii_is_alpha(c) || ascii_is_digit(c);
}

/* The value of a hexadecimal digit, in any letter case; -1: it is none. */
static inline int ascii_hex_value(char c)
{
        char lower = ascii_lower(c);
        return ascii_is_digit(c) ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Reads `count` octets, each of two hexadecimal digits. False when `digits` is anything else; then what stands in
 * `ret_octets` means nothing. */
static inline bool span_hex(struct span digits, uint8_t *ret_octets, size_t count)
{
        if (digits.length != 2 * count)
                return false;
        for (size_t i = 0; i < count; i++) {
                int high = ascii_hex_value(digits.at[2 * i]), low = ascii_hex_value(digits.at[2 * i + 1]);
                if (high < 0 || low < 0)
                        return false;
                ret_octets[i] = (uint8_t)(high << 4 | low);
        }
        return true;
}

/* True for atext (RFC 5322 3.2.3). */
static inline bool ascii_is_atext(char c)
{
        static const uint64_t members[2] = {0xa3ffacfa00000000, 0x7fffffffc7fffffe};
        unsigned char octet = (unsigned char)c;
        return octet < 0x80 && (members[octet / 64] >> octet % 64 & 1);
}

/* True for the C0 controls and DEL. */
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
/* In line, because the length of a constant is then known. */
static inline void text_put_string(struct text *text, const char *string)
{
        text_put(text, span_from(string));
}
void text_put_number(struct text *text, uint64_t number);
void text_put_lower(struct text *text, struct span ascii);
/* Appends each octet as two hexadecimal digits in lower case. */
void text_put_hex(struct text *text, const uint8_t *octets, size_t count);
/* Appends as printf() would. It is slow, and meant for rare paths. */
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Appends what may stand in a reply or a header, or on a terminal. An octet that is not printable ASCII becomes
 * '?'; with `utf8`, well-formed UTF-8 stays, and '?' stands for each character that is a control, a mark of
 * direction, a separator of lines, or invisible. */
void text_put_printable(struct text *text, struct span bytes, bool utf8);
/* Appends a JSON string with its quotes (RFC 8259). Quotes and the characters that text_put_printable() leaves
 * out are escaped. An octet that is no well-formed UTF-8 becomes the character of its number, U+0080 to U+00FF,
 * always escaped; NUL becomes U+FFFD. */
void text_put_json(struct text *text, struct span bytes);
/* Appends ,"NAME":NUMBER. The name is written as it is. */
static inline void text_put_json_number(struct text *text, const char *name, uint64_t number)
{
        text_printf(text, ",\"%s\":%llu", name, (unsigned long long)number);
}
