/* Fuzzes the scanner of message text against a naive one, octet by octet. The first octet of the input says
 * how it is cut, whether a bare LF is mended, and whether its size is limited. */
#include "core/base/expect.h"
#include "core/smtp/text_scan.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length);

#define SIZE_LIMIT 2000
#define LINE_LIMIT 100

/* Lines end with CRLF and nothing else; the first that is "." alone ends the text; else one leading dot is
 * cut. A bare LF then parts a line, and behind it one of two dots is cut. */
struct naive {
        char *kept;
        size_t length, used; /* of the input */
        bool is_ended;
        uint64_t line; /* the one that is looked at */
        struct text_place flaws[TEXT_FLAWS];
};

static size_t line_length(struct span rest)
{
        for (size_t at = 0; at + 1 < rest.length; at++)
                if (rest.at[at] == '\r' && rest.at[at + 1] == '\n')
                        return at;
        return SIZE_MAX;
}

static void find(struct naive *naive, enum text_flaw flaw, size_t octet)
{
        if (naive->flaws[flaw].line == 0)
                naive->flaws[flaw] = (struct text_place){naive->line, octet};
}

/* `part`: of a line, without what ends it. `dots`: that go if it begins with so many. */
static void keep_part(struct naive *naive, struct span part, size_t dots, bool is_whole_line)
{
        for (size_t i = 0; i < part.length; i++)
                if (part.at[i] == '\r' || part.at[i] == '\0')
                        find(naive, part.at[i] == '\r' ? TEXT_FLAW_BARE_CR : TEXT_FLAW_NUL, i + 1);
        if (!is_whole_line && span_equals(part, SPAN(".")))
                find(naive, TEXT_FLAW_LONE_DOT, 1);
        if (part.length >= dots && memcmp(part.at, "..", dots) == 0)
                part = span_skip(part, 1);
        if (part.length + 2 > LINE_LIMIT)
                find(naive, TEXT_FLAW_LONG_LINE, part.length + 2);
        if (part.length > 0)
                memcpy(naive->kept + naive->length, part.at, part.length);
        memcpy(naive->kept + naive->length + part.length, "\r\n", 2);
        naive->length += part.length + 2;
}

static void keep_line(struct naive *naive, struct span line)
{
        size_t end, dots = 1;

        for (; (end = span_find(line, '\n')) != SIZE_MAX; line = span_skip(line, end + 1), dots = 2) {
                find(naive, TEXT_FLAW_BARE_LF, end + 1);
                keep_part(naive, span_of(line.at, end), dots, false);
                naive->line++;
        }
        keep_part(naive, line, dots, dots == 1);
        naive->line++;
}

static void naive_read(struct naive *naive, struct span input)
{
        size_t end;

        naive->line = 1;
        for (struct span rest = input; (end = line_length(rest)) != SIZE_MAX && !naive->is_ended;
             rest = span_skip(rest, end + 2)) {
                struct span line = span_of(rest.at, end);
                naive->used += end + 2;
                naive->is_ended = span_equals(line, SPAN("."));
                if (!naive->is_ended)
                        keep_line(naive, line);
        }
}

/* Whoever reads the stored text finds the lines in it that we have found. */
static void expect_only_crlf(struct span kept)
{
        for (size_t i = 0; i < kept.length; i++) {
                expect(kept.at[i] != '\n' || (i > 0 && kept.at[i - 1] == '\r'));
                expect(kept.at[i] != '\r' || (i + 1 < kept.length && kept.at[i + 1] == '\n'));
        }
}

static void expect_only_crlf_dot_crlf(struct span used)
{
        size_t length = used.length;

        expect(length >= 3 && memcmp(used.at + length - 3, ".\r\n", 3) == 0);
        expect(length == 3 || (length >= 5 && memcmp(used.at + length - 5, "\r\n", 2) == 0));
        for (size_t i = 0; i + 5 < length; i++)
                expect(memcmp(used.at + i, "\r\n.\r\n", 5) != 0);
}

static void compare_kept(const struct naive *naive, const struct content *content)
{
        size_t at = 0;
        expect(content->length == naive->length);
        for (const struct content_block *block = content->first; block != NULL; block = block->next) {
                expect(memcmp(block->octets, naive->kept + at, block->length) == 0);
                at += block->length;
        }
        expect_only_crlf(span_of(naive->kept, naive->length));
}

static void compare(const struct naive *naive, const struct text_scan *scan, const struct content *content)
{
        bool mends = scan->mends_bare_lf;

        for (enum text_flaw flaw = 0; flaw < TEXT_FLAWS; flaw++)
                expect(scan->flaws[flaw].line == naive->flaws[flaw].line &&
                       scan->flaws[flaw].octet == naive->flaws[flaw].octet);
        expect(scan->is_too_large == (naive->length > scan->size_max));
        expect(text_scan_is_bad(scan) == (scan->is_too_large || naive->flaws[TEXT_FLAW_BARE_CR].line > 0 ||
                                          naive->flaws[TEXT_FLAW_NUL].line > 0 ||
                                          naive->flaws[TEXT_FLAW_LONG_LINE].line > 0 ||
                                          (naive->flaws[TEXT_FLAW_BARE_LF].line > 0 && !mends)));
        if (!text_scan_is_bad(scan))
                compare_kept(naive, content);
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
        struct naive naive = {.kept = malloc(2 * length + 1)};
        struct text_scan scan;
        struct content content = {0};
        struct content_pool pool;
        bool is_ended;

        expect(naive.kept != NULL);
        if (length > 0) {
                struct span input = span_of((const char *)octets + 1, length - 1);
                content_pool_init(&pool, 4);
                text_scan_init(&scan, (octets[0] & 16) != 0 ? UINT64_MAX : SIZE_LIMIT, LINE_LIMIT);
                scan.mends_bare_lf = (octets[0] & 8) != 0;
                naive_read(&naive, input);
                size_t used = scan_all(&scan, input, octets[0] % 8, &content, &pool, &is_ended);
                expect(is_ended == naive.is_ended);
                if (is_ended) {
                        expect(used == naive.used);
                        expect_only_crlf_dot_crlf(span_of(input.at, used));
                        compare(&naive, &scan, &content);
                }
                content_release(&content, &pool);
                content_pool_end(&pool);
        }
        free(naive.kept);
        return 0;
}
