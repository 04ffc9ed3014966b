/* What a text becomes on the wire, against a model that looks at one octet at a time. */
#include "core/client/text.h"

#include <criterion/criterion.h>

#define LENGTH_MAX 600

static const struct hop_terms terms = {.hostname = "mx.isp.example"};
static uint32_t seed = 20261129;

static uint32_t next_random(void)
{
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        return seed;
}

/* As a hop that has said 354. */
static struct hop hop_texting(void)
{
        struct hop hop = {.terms = &terms, .resting = HOP_STATE_TEXT, .last = '\n', .is_under_way = true};
        return hop;
}

static void model(struct span text, struct text *wire)
{
        bool begins = true;

        for (size_t i = 0; i < text.length; i++) {
                char octet = text.at[i];
                bool is_crlf = octet == '\r' && i + 1 < text.length && text.at[i + 1] == '\n';
                if (octet == '.' && begins)
                        text_put_char(wire, '.');
                begins = is_crlf || octet == '\n';
                if (begins)
                        text_put_string(wire, "\r\n");
                else
                        text_put_char(wire, octet == '\r' ? ' ' : octet);
                i += is_crlf;
        }
        text_put_string(wire, begins ? ".\r\n" : "\r\n.\r\n");
}

/* In pieces of any length into room of any size. */
static void play(struct span rest, struct text *wire)
{
        struct hop hop = hop_texting();
        char octets[LENGTH_MAX + HOP_OUT_ROOM];
        struct text out;

        while (rest.length > 0) {
                size_t most = 1 + next_random() % rest.length;
                struct span piece = span_of(rest.at, most);
                text_over(&out, octets, 2 + next_random() % 64);
                hop_text(&hop, &piece, &out);
                cr_assert(!out.overflowed && (piece.length < most || out.length > 0));
                text_put(wire, text_span(&out));
                rest = span_skip(rest, most - piece.length);
        }
        text_over(&out, octets, sizeof octets);
        cr_assert(hop_dot(&hop, &out));
        text_put(wire, text_span(&out));
        cr_assert(!hop_is_texting(&hop));
}

static void compare(struct span text)
{
        char expected_octets[3 * LENGTH_MAX], octets[3 * LENGTH_MAX];
        struct text expected, wire;

        text_over(&expected, expected_octets, sizeof expected_octets);
        text_over(&wire, octets, sizeof octets);
        model(text, &expected);
        play(text, &wire);
        if (!span_equals(text_span(&expected), text_span(&wire))) {
                char shown[4 * LENGTH_MAX];
                struct text json;
                text_over(&json, shown, sizeof shown - 1);
                text_put_json(&json, text);
                text_put_json(&json, text_span(&wire));
                shown[json.length] = '\0';
                cr_assert(false, "%s", shown);
        }
}

Test(hop_text, all_short_ones)
{
        static const char alphabet[] = "\r\n.a";
        char octets[8];

        for (size_t length = 0; length <= sizeof octets; length++)
                for (uint32_t which = 0; which < 1u << 2 * length; which++) {
                        for (size_t i = 0; i < length; i++)
                                octets[i] = alphabet[which >> 2 * i & 3];
                        compare(span_of(octets, length));
                }
}

Test(hop_text, random_lines)
{
        char octets[LENGTH_MAX];

        for (int round = 0; round < 20000; round++) {
                size_t length = 0, most = next_random() % (LENGTH_MAX - 80);
                while (length < most) {
                        size_t line = next_random() % 60;
                        memset(octets + length, '.', 2);
                        memset(octets + length + next_random() % 2, 'x', line);
                        length += line;
                        uint32_t end = next_random() % 16;
                        if (end != 1)
                                octets[length++] = '\r';
                        if (end != 2)
                                octets[length++] = '\n';
                }
                compare(span_of(octets, length));
        }
}
