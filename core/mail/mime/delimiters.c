/* Delimiters of parts (RFC 2046 5.1.1): which line is one, and of which multipart. */
#include "core/mail/mime/internal.h"

/* Whether the line is a delimiter of this multipart (RFC 2046 5.1.1), padding aside. */
static bool is_delimiter(struct span line, const struct mime_boundary *boundary, bool *ret_is_last)
{
        size_t length = boundary->length;

        if (length == 0 || (line.length != length && line.length != length + 2) ||
            line.at[0] != boundary->octets[0] || memcmp(line.at, boundary->octets, length) != 0)
                return false;
        *ret_is_last = line.length > length;
        return line.length == length || (line.at[length] == '-' && line.at[length + 1] == '-');
}

static void part_begin(struct mime_scan *scan, uint8_t depth)
{
        scan->depth = depth;
        mime_block_begin(scan, MIME_BLOCK_PART);
}

/* In a multipart that does not tell its boundary, or lost it: a line like "--=_a1" is taken for one. */
static bool is_guess(const struct mime_scan *scan, struct span line)
{
        const struct mime_boundary *boundary = &scan->boundaries[scan->depth - 1];
        bool has_letters = false;

        if (boundary->length > 0 || line.length > sizeof boundary->octets)
                return false;
        for (size_t i = 0; i < line.length; i++) {
                if (mime_is_blank(line.at[i]))
                        return false;
                has_letters = has_letters || ascii_is_alnum(line.at[i]);
        }
        return has_letters;
}

static void guess_delimiter(struct mime_scan *scan, struct span line)
{
        struct mime_boundary *boundary = &scan->boundaries[scan->depth - 1];

        memcpy(boundary->octets, line.at, line.length);
        boundary->length = (uint16_t)line.length;
        part_begin(scan, scan->depth);
}

/* Which multipart's delimiter the line is, or the depth when it is none's. */
static uint8_t delimited_level(const struct mime_scan *scan, struct span line, bool *ret_is_last)
{
        for (uint8_t level = scan->depth; level-- > 0;)
                if (is_delimiter(line, &scan->boundaries[level], ret_is_last))
                        return level;
        return scan->depth;
}

/* Of a line that began with "--". */
static struct span delimiter_of(struct span line)
{
        line = span_of(line.at + 2, line.length - 2);
        bool is_padded =
            line.length > 0 && (mime_is_blank(line.at[0]) || mime_is_blank(line.at[line.length - 1]));
        return is_padded ? span_trim(line) : line;
}

bool mime_take_delimiter(struct mime_scan *scan, struct span whole)
{
        struct span line = delimiter_of(whole);
        bool is_last;
        uint8_t level = delimited_level(scan, line, &is_last);

        if (level == scan->depth) {
                if (!is_guess(scan, line))
                        return false;
                guess_delimiter(scan, line);
        } else if (is_last) {
                scan->depth = level;
                mime_body_skip(scan);
        } else {
                part_begin(scan, (uint8_t)(level + 1));
        }
        return true;
}

bool mime_may_be_delimiter(const struct mime_scan *scan, struct span input)
{
        bool is_last;

        if (scan->depth == 0 || (input.length >= 2 && input.at[1] != '-'))
                return false;
        size_t end = span_find(input, '\n');
        if (end == SIZE_MAX || end > MIME_BOUNDARY_MAX)
                return true;
        end -= input.at[end - 1] == '\r';
        struct span line = delimiter_of(span_of(input.at, end));
        return delimited_level(scan, line, &is_last) < scan->depth || is_guess(scan, line);
}
