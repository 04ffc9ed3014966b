/* Fuzzes feeds: the first octet is the format, and whether names are listed; then a file, and behind a NUL
 * questions, a line each. Read whole and in pieces it must come to the same answers. */
#include "core/base/expect.h"
#include "core/feed/builder.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length);

static struct feed *make(struct span file, uint8_t kind, size_t piece, struct feed_report *report)
{
        const struct feed_wish wish = {
            .format = (enum feed_format)(kind % FEED_FORMATS),
            .lists_names = kind >= 128,
            .takes_faults = true,
            .memory_max = 1 << 26,
            .now_s = 1800000000,
        };
        struct feed_builder *builder = feed_builder_create(&wish);

        expect(builder != NULL);
        feed_begin_file(builder, "file");
        for (; file.length > 0; file = span_skip(file, piece))
                feed_read(builder, span_of(file.at, file.length < piece ? file.length : piece));
        return feed_finish(builder, report);
}

static void compare(const struct feed *left, const struct feed *right, struct span name, enum feed_type type)
{
        static struct feed_answer one, other;
        bool is_found = feed_find(left, name, type, &one);

        expect(feed_find(right, name, type, &other) == is_found && one.count == other.count);
        expect(one.count <= FEED_RECORDS_MAX && is_found == (one.count > 0));
        for (size_t i = 0; i < one.count; i++) {
                expect(span_equals(one.records[i], other.records[i]));
                expect(type == FEED_TEXTS || one.records[i].length == 4);
                expect(one.records[i].length <= 255);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
        struct feed_report one, other;

        if (length < 2)
                return 0;
        struct span rest = span_of((const char *)octets + 1, length - 1);
        size_t end = span_find(rest, '\0');
        struct span file = span_of(rest.at, end == SIZE_MAX ? rest.length : end);
        rest = span_skip(rest, file.length + 1);
        struct feed *whole = make(file, octets[0], SIZE_MAX / 2, &one),
                    *torn = make(file, octets[0], 3, &other);
        expect((whole == NULL) == (torn == NULL) && one.entries == other.entries &&
               one.faults == other.faults);
        while (whole != NULL && rest.length > 0) {
                size_t line = span_find(rest, '\n');
                struct span name = span_of(rest.at, line == SIZE_MAX ? rest.length : line);
                compare(whole, torn, name, FEED_ADDRESSES);
                compare(whole, torn, name, FEED_TEXTS);
                rest = span_skip(rest, name.length + 1);
        }
        feed_free(whole);
        feed_free(torn);
        return 0;
}
