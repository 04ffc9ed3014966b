/* Short lines of message text that are kept as they are. */
#include "core/mail/leap.h"

/* At LF, the line behind it begins with a dot, or in the header it may be its end, a Received field or a Message-ID. */
static leap_octets begins_line(leap_octets ends, leap_octets first, bool in_header)
{
        leap_octets found = leap_is(first, '.');

        if (in_header)
                found |= leap_is(first, '\r') | leap_is(first, '\n') | leap_is_letter(first, 'r') |
                         leap_is_letter(first, 'm');
        return ends & found;
}

static inline leap_octets is_not_plain(const char *at, bool in_header)
{
        leap_octets octets = leap_load(at), next = leap_load(at + 1);
        leap_octets is_cut = leap_is(octets, '\r') ^ leap_is(next, '\n');

        return is_cut | begins_line(leap_is(octets, '\n'), next, in_header);
}

static leap_octets is_not_plain_body(const char *at)
{
        return is_not_plain(at, false);
}

static leap_octets is_not_plain_header(const char *at)
{
        return is_not_plain(at, true);
}

struct leap leap_plain_lines(struct span input, bool in_header)
{
        return in_header ? leap_lines(input, is_not_plain_header) : leap_lines(input, is_not_plain_body);
}

static inline leap_octets is_not_bare(const char *at, bool in_header)
{
        leap_octets next = leap_load(at + 1);

        return leap_is(next, '\r') | begins_line(leap_is(leap_load(at), '\n'), next, in_header);
}

static leap_octets is_not_bare_body(const char *at)
{
        return is_not_bare(at, false);
}

static leap_octets is_not_bare_header(const char *at)
{
        return is_not_bare(at, true);
}

struct leap leap_bare_lines(struct span input, bool in_header)
{
        return in_header ? leap_lines(input, is_not_bare_header) : leap_lines(input, is_not_bare_body);
}

size_t leap_mend(struct span lines, char *mended)
{
        size_t length = 0;

        /* Without a branch: which octets are LF is the sender's choice. */
        for (size_t at = 0; at < lines.length; at++) {
                mended[length] = '\r';
                length += lines.at[at] == '\n';
                mended[length++] = lines.at[at];
        }
        return length;
}
