/* Short lines of a header that matter to nobody, see leap.h: what fields.c would come to line by line. */
#include "core/mail/leap.h"
#include "core/mail/mime/internal.h"

static leap_octets ends_of(const char *at)
{
        return leap_is(leap_load(at), '\n');
}

/* The line may be empty, a delimiter, or a field of the table of fields: by the first letter and the second one. */
static leap_octets may_be_field(const char *at)
{
        leap_octets first = leap_load(at + 1), second = leap_load(at + 2);
        leap_octets begins = leap_is_letter(first, 'c') | leap_is_letter(first, 'r') |
                             leap_is_letter(first, 'm') | leap_is_letter(first, 'i') |
                             leap_is_letter(first, 'o') | leap_is_letter(first, 'a') |
                             leap_is_letter(first, 'x');
        leap_octets goes_on = leap_is_letter(second, 'o') | leap_is_letter(second, 'e') |
                              leap_is_letter(second, 'n') | leap_is_letter(second, 'r') |
                              leap_is_letter(second, 'u') | leap_is(second, '-');

        return ends_of(at) &
               ((begins & goes_on) | leap_is(first, '-') | leap_is(first, '\r') | leap_is(first, '\n'));
}

size_t mime_leap_fields(const struct mime_scan *scan, struct span input)
{
        /* Most letters of may_be_field(): where one line has them, others do, and a leap would end at once. */
        static const bool is_likely[256] = {
            ['\n'] = true, ['\r'] = true, ['-'] = true, ['C'] = true, ['R'] = true,
            ['M'] = true,  ['c'] = true,  ['r'] = true, ['m'] = true};
        static const bool is_likely_second[256] = {
            ['o'] = true, ['e'] = true, ['O'] = true, ['E'] = true, ['-'] = true, ['\n'] = true};

        if (input.length < 3 || mime_needs_field(scan) ||
            (is_likely[(unsigned char)input.at[1]] && is_likely_second[(unsigned char)input.at[2]]))
                return 0;
        return leap_lines(input, may_be_field).length;
}

/* The line goes on with no field. */
static leap_octets is_unfolded(const char *at)
{
        return ends_of(at) & ~leap_is_blank(leap_load(at + 1));
}

static leap_octets may_begin_id(const char *at)
{
        leap_octets octets = leap_load(at + 1);
        return is_unfolded(at) | leap_is(octets, '<') | leap_is(octets, '>');
}

static leap_octets is_unfolded_or_not_blank(const char *at)
{
        leap_octets octets = leap_load(at + 1);
        return is_unfolded(at) | ~(leap_is_blank(octets) | leap_is(octets, '\r') | leap_is(octets, '\n'));
}

size_t mime_leap_folds(const struct mime_scan *scan, bool has_references, struct span input)
{
        if (input.length < 2 || !mime_is_blank(input.at[1]))
                return 0;
        if (!has_references)
                return scan->value_length < MIME_VALUE_MAX ? 0 : leap_lines(input, is_unfolded).length;
        switch (scan->ids.state) {
        case MIME_IDS_BETWEEN:
        case MIME_IDS_BRACKET:
                return leap_lines(input, is_unfolded_or_not_blank).length;
        case MIME_IDS_JUNK:
        case MIME_IDS_TOO_LONG:
                return leap_lines(input, may_begin_id).length;
        case MIME_IDS_TOKEN:
        case MIME_IDS_TAG:
        case MIME_IDS_TAG_REST:
        case MIME_IDS_INNER_TAG:
                break;
        }
        return 0;
}
