/* Short lines of message text that are kept as they are. */
#include "core/mail/leap.h"

/* At the LF in front of a line of a header that may be its end, a Received field or a Message-ID. */
static leap_octets begins_field(const char *at)
{
        leap_octets first = leap_load(at + 1), second = leap_load(at + 2);

        return leap_is(leap_load(at), '\n') &
               (leap_is(first, '\r') | leap_is(first, '\n') |
                ((leap_is_letter(first, 'r') | leap_is_letter(first, 'm')) & leap_is_letter(second, 'e')));
}

/* The line is not folded, or not blank. */
static leap_octets is_no_blank_fold(const char *at)
{
        leap_octets next = leap_load(at + 1), is_blank = leap_is_blank(next);

        return (leap_is(leap_load(at), '\n') & ~is_blank) |
               ~(is_blank | leap_is(next, '\r') | leap_is(next, '\n'));
}

/* A line begins with a dot, or CR and LF are not together. */
static leap_octets is_not_plain(const char *at)
{
        leap_octets octets = leap_load(at), next = leap_load(at + 1);

        return (leap_is(octets, '\r') ^ leap_is(next, '\n')) | (leap_is(octets, '\n') & leap_is(next, '.'));
}

static leap_octets is_not_plain_field(const char *at)
{
        return is_not_plain(at) | begins_field(at);
}

static leap_octets is_not_plain_blank(const char *at)
{
        return is_not_plain(at) | is_no_blank_fold(at);
}

struct leap leap_plain_lines(struct span input, enum leap_over over)
{
        return over == LEAP_BODY     ? leap_lines(input, is_not_plain)
               : over == LEAP_FIELDS ? leap_lines(input, is_not_plain_field)
                                     : leap_lines(input, is_not_plain_blank);
}

static leap_octets is_not_bare(const char *at)
{
        return leap_is(leap_load(at + 1), '\r');
}

static leap_octets is_lone_dot(const char *at)
{
        return leap_is(leap_load(at), '\n') & leap_is(leap_load(at + 1), '.') &
               leap_is(leap_load(at + 2), '\n');
}

static leap_octets is_not_bare_line(const char *at)
{
        return is_not_bare(at) | is_lone_dot(at);
}

static leap_octets is_not_bare_field(const char *at)
{
        return is_not_bare_line(at) | begins_field(at);
}

static leap_octets is_not_bare_blank(const char *at)
{
        return is_not_bare(at) | is_no_blank_fold(at);
}

struct leap leap_bare_lines(struct span input, enum leap_over over, bool has_lone_dots)
{
        return over == LEAP_BLANKS   ? leap_lines(input, is_not_bare_blank)
               : over == LEAP_FIELDS ? leap_lines(input, is_not_bare_field)
               : has_lone_dots       ? leap_lines(input, is_not_bare)
                                     : leap_lines(input, is_not_bare_line);
}

/* As far as the last step reached. */
static bool has_dots(struct span lines)
{
        leap_octets found = {0};

        for (size_t at = 0; at < lines.length; at += LEAP_STEP)
                found |= leap_is(leap_load(lines.at + at - 1), '\n') & leap_is(leap_load(lines.at + at), '.');
        return leap_any(found);
}

/* These are without a branch: which octets are LF or a dot is the sender's choice. */
static size_t mend_undotted(struct span lines, char *mended)
{
        size_t length = 0;

        for (size_t at = 0; at < lines.length; at++) {
                mended[length] = '\r';
                length += lines.at[at] == '\n';
                mended[length++] = lines.at[at];
        }
        return length;
}

static size_t mend_dotted(struct span lines, char *mended)
{
        size_t length = 0;

        for (const char *at = lines.at; at < lines.at + lines.length; at++) {
                mended[length] = '\r';
                length += at[0] == '\n';
                mended[length] = at[0];
                length += !((at[-1] == '\n') & (at[0] == '.') & (at[1] == '.'));
        }
        return length;
}

size_t leap_mend(struct span lines, char *mended)
{
        return has_dots(lines) ? mend_dotted(lines, mended) : mend_undotted(lines, mended);
}
