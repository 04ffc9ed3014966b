/* Reads the samples of bounces/, see its README.md. */
#pragma once

#include "core/base/text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define SAMPLE_SIZE 16384

struct sample {
        struct span name; /* until the next one is read */
        struct text text;
        char octets[SAMPLE_SIZE];
};

struct samples {
        FILE *file;
        struct span id;
        size_t count;
        char name[256];
        /* A block that is to be encoded. */
        enum sample_block { BLOCK_NONE, BLOCK_BASE64, BLOCK_QUOTED, BLOCK_UTF16 } block;
        struct text plain;
        char plain_octets[SAMPLE_SIZE];
};

static inline void samples_open(struct samples *samples, const char *name, const char *id)
{
        char path[1024];

        snprintf(path, sizeof path, "%s/%s.txt", getenv("GATEPOST_BOUNCES"), name);
        *samples = (struct samples){.file = fopen(path, "r"), .id = span_from(id)};
        cr_assert_not_null(samples->file, "%s", path);
        while (fgets(samples->name, sizeof samples->name, samples->file) != NULL)
                if (strncmp(samples->name, "=== ", 4) == 0)
                        return;
}

static inline void samples_close(struct samples *samples)
{
        fclose(samples->file);
}

static inline void put_base64(struct text *text, struct span octets)
{
        static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

        for (size_t at = 0; at < octets.length; at += 3) {
                uint32_t bits = 0;
                for (size_t i = 0; i < 3; i++)
                        bits = bits << 8 | (at + i < octets.length ? (unsigned char)octets.at[at + i] : 0);
                for (size_t i = 0; i < 4; i++)
                        text_put_char(text, at + i > octets.length ? '=' : digits[bits >> (18 - 6 * i) & 63]);
        }
}

/* In lines of 57 octets. */
static inline void put_base64_lines(struct text *text, struct span octets)
{
        for (size_t at = 0; at < octets.length; at += 57) {
                struct span rest = span_skip(octets, at);
                put_base64(text, span_of(rest.at, rest.length < 57 ? rest.length : 57));
                text_put_string(text, "\r\n");
        }
}

static inline void put_utf16_lines(struct text *text, struct span octets)
{
        static char wide[2 * SAMPLE_SIZE];

        for (size_t i = 0; i < octets.length; i++) {
                wide[2 * i] = octets.at[i];
                wide[2 * i + 1] = '\0';
        }
        put_base64_lines(text, span_of(wide, 2 * octets.length));
}

/* With a soft line break after each 30 octets. */
static inline void put_quoted_lines(struct text *text, struct span octets)
{
        size_t column = 0;

        for (size_t i = 0; i < octets.length; i++) {
                char c = octets.at[i];
                if (c == '\n' || column == 30)
                        column = 0;
                if (column == 0 && c != '\n' && i > 0 && octets.at[i - 1] != '\n')
                        text_put_string(text, "=\r\n");
                if (c == '=' || c == '@')
                        text_printf(text, "=%02X", (unsigned)c);
                else
                        text_put_char(text, c);
                column += c != '\r' && c != '\n';
        }
}

/* ---- what stands for something */

static inline void put_header(struct text *text, struct span prefix, struct span id)
{
        static const char *const lines[] = {
            "Received: from pc.isp.example (198.51.100.9) by mx.isp.example; Tue, 3 Mar 2026 10:00:00 +0100",
            "Message-ID: <",
            "From: Anna <alice@isp.example>",
            "To: bert@far.example",
            "Subject: Offer",
            "Date: Tue, 3 Mar 2026 10:00:00 +0100",
        };
        for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
                text_put_string(text, i > 0 ? "\r\n" : "");
                text_put(text, prefix);
                text_put_string(text, lines[i]);
                if (i == 1) {
                        text_put(text, id);
                        text_put_char(text, '>');
                }
        }
}

static inline void put_html(struct text *text, struct span id)
{
        char octets[2048];
        struct text header;

        text_over(&header, octets, sizeof octets);
        put_header(&header, SPAN("<br>"), id);
        for (size_t i = 0; i < header.length; i++) {
                char c = header.at[i];
                bool is_tag = span_starts_nocase(span_skip(text_span(&header), i), SPAN("<br>"));
                text_put_string(text, c == '<' && !is_tag                           ? "&lt;"
                                      : c == '>' && (i < 3 || octets[i - 1] != 'r') ? "&gt;"
                                                                                    : "");
                if ((c != '<' && c != '>') || is_tag || (c == '>' && i >= 3 && octets[i - 1] == 'r'))
                        text_put_char(text, c);
        }
}

/* Two words, the second in a line of its own. */
static inline void put_words(struct text *text, struct span id, bool is_base64)
{
        char octets[256];
        struct text whole;

        text_over(&whole, octets, sizeof octets);
        text_put_char(&whole, '<');
        text_put(&whole, id);
        text_put_char(&whole, '>');
        for (size_t at = 0, half = whole.length / 2; at < whole.length;
             at += half + at % 2, half = whole.length) {
                struct span rest = span_skip(text_span(&whole), at);
                struct span part = span_of(rest.at, at == 0 ? half : rest.length);
                text_put_string(text, at == 0 ? "=?utf-8?" : "\r\n =?utf-8?");
                text_put_string(text, is_base64 ? "b?" : "q?");
                for (size_t i = 0; !is_base64 && i < part.length; i++)
                        text_printf(text, ascii_is_alnum(part.at[i]) ? "%c" : "=%02X", part.at[i]);
                if (is_base64)
                        put_base64(text, part);
                text_put_string(text, "?=");
                if (at > 0)
                        break;
        }
}

static inline void put_line(struct text *text, struct span line, struct span id)
{
        while (line.length > 0) {
                size_t end = line.at[0] == '{' ? span_find(line, '}') : SIZE_MAX;
                struct span name = end == SIZE_MAX ? span_of(NULL, 0) : span_of(line.at + 1, end - 1);
                size_t used = end == SIZE_MAX ? 1 : end + 1;
                if (span_equals(name, SPAN("id")))
                        text_put(text, id);
                else if (span_starts_nocase(name, SPAN("header")))
                        put_header(text, span_skip(name, sizeof "header:" - 1), id);
                else if (span_equals(name, SPAN("html")))
                        put_html(text, id);
                else if (span_equals(name, SPAN("words-q")) || span_equals(name, SPAN("words-b")))
                        put_words(text, id, name.at[6] == 'b');
                else
                        text_put(text, span_of(line.at, used));
                line = span_skip(line, used);
        }
        text_put_string(text, "\r\n");
}

/* ---- blocks and samples */

static inline bool block_line(struct samples *samples, struct span line, struct text *text)
{
        static const struct span names[] = {
            [BLOCK_NONE] = {"{end}", 5},
            [BLOCK_BASE64] = {"{base64}", 8},
            [BLOCK_QUOTED] = {"{quoted}", 8},
            [BLOCK_UTF16] = {"{utf16}", 7},
        };
        static void (*const put[])(struct text *, struct span) = {[BLOCK_BASE64] = put_base64_lines,
                                                                  [BLOCK_QUOTED] = put_quoted_lines,
                                                                  [BLOCK_UTF16] = put_utf16_lines};

        for (enum sample_block block = BLOCK_NONE; block <= BLOCK_UTF16; block++) {
                if (!span_equals(line, names[block]))
                        continue;
                if (block == BLOCK_NONE)
                        put[samples->block](text, text_span(&samples->plain));
                text_over(&samples->plain, samples->plain_octets, sizeof samples->plain_octets);
                samples->block = block;
                return true;
        }
        return false;
}

/* False: there are no more. */
static inline bool samples_next(struct samples *samples, struct sample *sample)
{
        static char name[256], line_octets[2048];

        if (samples->name[0] == '\0')
                return false;
        strcpy(name, samples->name + 4);
        samples->name[0] = '\0';
        sample->name = span_of(name, strcspn(name, "\n"));
        text_over(&sample->text, sample->octets, sizeof sample->octets);
        while (fgets(line_octets, sizeof line_octets, samples->file) != NULL) {
                struct span line = span_of(line_octets, strcspn(line_octets, "\n"));
                if (span_starts_nocase(line, SPAN("=== "))) {
                        snprintf(samples->name, sizeof samples->name, "%.*s", (int)line.length, line.at);
                        break;
                }
                if (!block_line(samples, line, &sample->text))
                        put_line(samples->block == BLOCK_NONE ? &sample->text : &samples->plain, line,
                                 samples->id);
        }
        samples->count++;
        cr_assert(!sample->text.overflowed && !samples->plain.overflowed);
        return true;
}
