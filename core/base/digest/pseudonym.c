/* Pseudonyms that whoever has their key can read. */
#include "core/base/digest/pseudonym.h"

#include "core/base/date.h"

#define TAG_SIZE    12
#define DAY_DIGITS  8
#define HEAD_LENGTH (2 + DAY_DIGITS + 1) /* "~a20261129~" */
#define SECRET_SIZE (PSEUDONYM_SECRET_HEX / 2)
#define CONTEXT_MAX 255
#define PADDED_TO   8 /* so that the length of a name tells little */
#define DATE_LENGTH 10

static const char base32_digits[] = "abcdefghijklmnopqrstuvwxyz234567";

/* ---- keys ---------------------------------------------------------------------------------------------- */

bool pseudonym_day_read(struct span date, uint32_t *ret_day)
{
        uint32_t day = 0;

        if (date.length < DATE_LENGTH || !date_is_right(span_of(date.at, DATE_LENGTH)))
                return false;
        for (size_t i = 0; i < DATE_LENGTH; i++)
                if (date.at[i] != '-')
                        day = day * 10 + (uint32_t)(date.at[i] - '0');
        *ret_day = day;
        return true;
}

/* A key of its own for each purpose. */
static void derive(struct span secret, struct span purpose, struct mac_sha256_key *ret_key)
{
        uint8_t derived[MAC_SHA256_SIZE];

        mac_sha256(secret, &purpose, 1, derived);
        mac_sha256_prepare(ret_key, span_of((const char *)derived, sizeof derived));
        explicit_bzero(derived, sizeof derived);
}

const char *pseudonym_keys_add(struct pseudonym_keys *keys, struct span entry)
{
        uint8_t secret[SECRET_SIZE];
        uint32_t day;

        if (!pseudonym_day_read(entry, &day) || entry.length < DATE_LENGTH + 1 ||
            entry.at[DATE_LENGTH] != ':' ||
            !span_hex(span_skip(entry, DATE_LENGTH + 1), secret, sizeof secret))
                return "must be the day from which the key is used, and 64 hexadecimal digits: "
                       "2026-11-29:SECRET";
        if (keys->count == PSEUDONYM_KEYS_MAX)
                return "there are more than 64 keys";
        if (keys->count > 0 && keys->keys[keys->count - 1].day >= day)
                return "the oldest key must come first, and each day has one key";
        struct pseudonym_key *key = &keys->keys[keys->count++];
        struct span whole = span_of((const char *)secret, sizeof secret);
        key->day = day;
        derive(whole, SPAN("gatepost log tag"), &key->tag);
        derive(whole, SPAN("gatepost log stream"), &key->stream);
        explicit_bzero(secret, sizeof secret);
        return NULL;
}

const struct pseudonym_key *pseudonym_key_of_day(const struct pseudonym_keys *keys, uint32_t day)
{
        size_t at = keys->count - 1;

        while (at > 0 && keys->keys[at].day > day)
                at--;
        return &keys->keys[at];
}

/* ---- tag and stream ------------------------------------------------------------------------------------ */

static void make_tag(const struct pseudonym_key *key, char kind, struct span context, struct span plain,
                     uint8_t ret_tag[static MAC_SHA256_SIZE])
{
        char octets[CONTEXT_MAX + 2];
        struct text head;

        text_over(&head, octets, sizeof octets);
        text_put_char(&head, kind);
        text_put_lower(&head,
                       span_of(context.at, context.length < CONTEXT_MAX ? context.length : CONTEXT_MAX));
        text_put_char(&head, '\0');
        const struct span parts[] = {text_span(&head), plain};
        mac_sha256_parts_with(&key->tag, parts, 2, ret_tag);
}

struct stream {
        const struct pseudonym_key *key;
        char seed[TAG_SIZE + 4]; /* the tag, and the number of the block */
        uint8_t block[MAC_SHA256_SIZE];
        uint32_t at;
};

static void stream_begin(struct stream *stream, const struct pseudonym_key *key, const uint8_t *tag)
{
        *stream = (struct stream){.key = key};
        memcpy(stream->seed, tag, TAG_SIZE);
}

static uint8_t stream_next(struct stream *stream)
{
        uint32_t number = stream->at / MAC_SHA256_SIZE;

        if (stream->at++ % MAC_SHA256_SIZE == 0) {
                for (int i = 0; i < 4; i++)
                        stream->seed[TAG_SIZE + i] = (char)(number >> (24 - 8 * i));
                mac_sha256_with(&stream->key->stream, span_of(stream->seed, sizeof stream->seed),
                                stream->block);
        }
        return stream->block[(stream->at - 1) % MAC_SHA256_SIZE];
}

/* ---- base32 -------------------------------------------------------------------------------------------- */

struct base32 {
        uint32_t bits;
        unsigned count; /* of bits that are held */
};

static void base32_put(struct base32 *base32, struct text *out, uint8_t octet)
{
        base32->bits = base32->bits << 8 | octet;
        for (base32->count += 8; base32->count >= 5; base32->count -= 5)
                text_put_char(out, base32_digits[base32->bits >> (base32->count - 5) & 31]);
}

static void base32_end(const struct base32 *base32, struct text *out)
{
        if (base32->count > 0)
                text_put_char(out, base32_digits[base32->bits << (5 - base32->count) & 31]);
}

/* -1: no digit */
static int base32_value(char c)
{
        return c >= 'a' && c <= 'z' ? c - 'a' : c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

/* The next octet of digits, which must have one. */
static uint8_t base32_take(struct base32 *base32, struct span *digits)
{
        for (; base32->count < 8; base32->count += 5) {
                base32->bits = base32->bits << 5 | (uint32_t)base32_value(digits->at[0]);
                *digits = span_skip(*digits, 1);
        }
        base32->count -= 8;
        return (uint8_t)(base32->bits >> base32->count);
}

/* ---- making -------------------------------------------------------------------------------------------- */

static void put(struct text *out, const struct pseudonym_key *key, char kind, const uint8_t *tag,
                struct span plain, size_t length)
{
        struct base32 base32 = {0};
        struct stream stream;

        text_put_char(out, '~');
        text_put_char(out, kind);
        text_put_number(out, key->day);
        text_put_char(out, '~');
        for (size_t i = 0; i < TAG_SIZE; i++)
                base32_put(&base32, out, tag[i]);
        stream_begin(&stream, key, tag);
        for (size_t i = 0; i < length; i++) {
                uint8_t octet = i < plain.length ? (uint8_t)plain.at[i] : 0;
                base32_put(&base32, out, octet ^ stream_next(&stream));
        }
        base32_end(&base32, out);
}

void pseudonym_put_address(struct text *out, const struct pseudonym_key *key, const struct address *address)
{
        uint8_t tag[MAC_SHA256_SIZE];
        size_t skipped = address_is_ipv4(address) ? 12 : 0;
        struct span octets = span_skip(span_of((const char *)address->octets, 16), skipped);

        make_tag(key, PSEUDONYM_OF_ADDRESS, SPAN(""), octets, tag);
        put(out, key, PSEUDONYM_OF_ADDRESS, tag, octets, octets.length);
}

void pseudonym_put_text(struct text *out, const struct pseudonym_key *key, enum pseudonym_kind kind,
                        struct span context, struct span plain)
{
        uint8_t tag[MAC_SHA256_SIZE];

        make_tag(key, (char)kind, context, plain, tag);
        put(out, key, (char)kind, tag, plain, (plain.length / PADDED_TO + 1) * PADDED_TO);
}

/* ---- reading ------------------------------------------------------------------------------------------- */

static bool is_kind(char c)
{
        return c == PSEUDONYM_OF_ADDRESS || c == PSEUDONYM_OF_MAILBOX || c == PSEUDONYM_OF_TEXT;
}

size_t pseudonym_length(struct span text)
{
        size_t end = HEAD_LENGTH;

        if (text.length <= HEAD_LENGTH || text.at[0] != '~' || !is_kind(text.at[1]) ||
            text.at[HEAD_LENGTH - 1] != '~')
                return 0;
        for (size_t i = 2; i < HEAD_LENGTH - 1; i++)
                if (!ascii_is_digit(text.at[i]))
                        return 0;
        while (end < text.length && base32_value(text.at[end]) >= 0)
                end++;
        return (end - HEAD_LENGTH) * 5 / 8 > TAG_SIZE ? end : 0;
}

static const struct pseudonym_key *key_named(const struct pseudonym_keys *keys, struct span day)
{
        uint64_t number;

        for (size_t i = 0; span_number(day, &number) && i < keys->count; i++)
                if (keys->keys[i].day == number)
                        return &keys->keys[i];
        return NULL;
}

static bool write_address(struct text *out, struct span octets)
{
        struct address address;

        if (octets.length != 4 && octets.length != 16)
                return false;
        if (octets.length == 4)
                address = address_of_ipv4((const uint8_t *)octets.at);
        else
                memcpy(address.octets, octets.at, sizeof address.octets);
        address_write(out, &address);
        return true;
}

/* The octets that the stream has given stand behind `before`, and what they mean takes their place. */
static bool settle(struct text *out, const struct pseudonym_key *key, char kind, const uint8_t *tag,
                   struct span context, size_t before)
{
        struct span plain = span_of(out->at + before, out->length - before);
        uint8_t expected[MAC_SHA256_SIZE];
        char octets[sizeof(struct address)];

        while (kind != PSEUDONYM_OF_ADDRESS && plain.length > 0 && plain.at[plain.length - 1] == '\0')
                plain.length--;
        make_tag(key, kind, context, plain, expected);
        if (memcmp(tag, expected, TAG_SIZE) != 0)
                return false;
        out->length = before + plain.length;
        if (kind != PSEUDONYM_OF_ADDRESS)
                return true;
        if (plain.length > sizeof octets)
                return false;
        memcpy(octets, plain.at, plain.length);
        out->length = before;
        return write_address(out, span_of(octets, plain.length));
}

bool pseudonym_reveal(struct text *out, const struct pseudonym_keys *keys, struct span pseudonym,
                      struct span context)
{
        const struct pseudonym_key *key = key_named(keys, span_of(pseudonym.at + 2, DAY_DIGITS));
        struct span digits = span_skip(pseudonym, HEAD_LENGTH);
        size_t before = out->length, length = digits.length * 5 / 8;
        uint8_t tag[TAG_SIZE];
        struct base32 base32 = {0};
        struct stream stream;

        if (key == NULL || text_room(out) < length)
                return false;
        for (size_t i = 0; i < TAG_SIZE; i++)
                tag[i] = base32_take(&base32, &digits);
        stream_begin(&stream, key, tag);
        for (size_t i = TAG_SIZE; i < length; i++)
                out->at[out->length++] = (char)(base32_take(&base32, &digits) ^ stream_next(&stream));
        if (settle(out, key, pseudonym.at[1], tag, context, before))
                return true;
        out->length = before;
        return false;
}
