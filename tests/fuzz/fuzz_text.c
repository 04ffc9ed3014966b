/* Fuzzes the scanner of message text against a naive one, octet by octet. The first octet of the input says
 * how it is cut. */
#include "core/base/expect.h"
#include "core/smtp/text_scan.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length);

#define SIZE_LIMIT 2000
#define LINE_LIMIT 100

/* Lines end with CRLF and nothing else; the first that is "." alone ends the text; else one leading dot is
 * cut. */
struct naive {
        char *kept;
        size_t length, used; /* of the input */
        bool is_ended, has_bare_newline, has_nul, has_long_line;
};

static size_t line_length(struct span rest)
{
        for (size_t at = 0; at + 1 < rest.length; at++)
                if (rest.at[at] == '\r' && rest.at[at + 1] == '\n')
                        return at;
        return SIZE_MAX;
}

static void look_at(struct naive *naive, struct span line)
{
        for (size_t i = 0; i < line.length; i++) {
                naive->has_bare_newline |= line.at[i] == '\r' || line.at[i] == '\n';
                naive->has_nul |= line.at[i] == '\0';
        }
}

static void naive_read(struct naive *naive, struct span input)
{
        size_t end;

        for (struct span rest = input; (end = line_length(rest)) != SIZE_MAX;
             rest = span_skip(rest, end + 2)) {
                struct span line = span_of(rest.at, end);
                look_at(naive, line);
                naive->used += end + 2;
                if (span_equals(line, SPAN("."))) {
                        naive->is_ended = true;
                        return;
                }
                if (line.length > 0 && line.at[0] == '.')
                        line = span_skip(line, 1);
                naive->has_long_line |= line.length + 2 > LINE_LIMIT;
                memcpy(naive->kept + naive->length, line.at, line.length);
                memcpy(naive->kept + naive->length + line.length, "\r\n", 2);
                naive->length += line.length + 2;
        }
}

static void compare_kept(const struct naive *naive, const struct content *content)
{
        size_t at = 0;
        expect(content->length == naive->length);
        for (const struct content_block *block = content->first; block != NULL; block = block->next) {
                expect(memcmp(block->octets, naive->kept + at, block->length) == 0);
                at += block->length;
        }
}

/* `cut`: octets a call; 0: all. Returns the octets used. */
static size_t scan_all(struct text_scan *scan, struct span input, size_t cut, struct content *content,
                       struct content_pool *pool, bool *ret_is_ended)
{
        size_t used = 0;

        *ret_is_ended = false;
        while (used < input.length && !*ret_is_ended) {
                size_t left = input.length - used;
                struct span piece = span_of(input.at + used, cut == 0 || cut > left ? left : cut);
                size_t before = piece.length;
                *ret_is_ended = text_scan_read(scan, &piece, content, pool);
                used += before - piece.length;
        }
        return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
        struct naive naive = {.kept = malloc(length + 1)};
        struct text_scan scan;
        struct content content = {0};
        struct content_pool pool;
        bool is_ended;

        expect(naive.kept != NULL);
        if (length > 0) {
                struct span input = span_of((const char *)octets + 1, length - 1);
                content_pool_init(&pool, 4);
                text_scan_init(&scan, SIZE_LIMIT, LINE_LIMIT);
                naive_read(&naive, input);
                size_t used = scan_all(&scan, input, octets[0] % 8, &content, &pool, &is_ended);
                expect(is_ended == naive.is_ended);
                if (is_ended) {
                        expect(used == naive.used);
                        expect(scan.has_bare_newline == naive.has_bare_newline &&
                               scan.has_nul == naive.has_nul);
                        expect(scan.has_long_line == naive.has_long_line);
                        expect(scan.is_too_large == (naive.length > SIZE_LIMIT));
                        if (!text_scan_is_bad(&scan))
                                compare_kept(&naive, &content);
                }
                content_release(&content, &pool);
                content_pool_end(&pool);
        }
        free(naive.kept);
        return 0;
}
