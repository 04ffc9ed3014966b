/* The grammar of paths, by hand: no lookahead, no copies. */
#include "core/smtp/command/path.h"

#include "core/base/address.h"
#include "core/base/domain_name.h"
#include "core/base/local_part.h"

#include <assert.h>

static_assert(LOCAL_PART_MAX == PATH_MAX_OCTETS - 4, "the shortest path around it is <...@d>");

static bool take(struct span *input, char octet)
{
        if (input->length == 0 || input->at[0] != octet)
                return false;
        *input = span_skip(*input, 1);
        return true;
}

/* Up to one of three octets, which may be the same, or NUL. They are a handful of octets away: no search by
 * the C library pays. */
static struct span take_until(struct span *input, const char ends[static 3])
{
        size_t length = 0;
        for (; length < input->length; length++) {
                char octet = input->at[length];
                if (octet == ends[0] || octet == ends[1] || octet == ends[2] || octet == '\0')
                        break;
        }
        struct span taken = span_of(input->at, length);
        *input = span_skip(*input, length);
        return taken;
}

/* "@a.example,@b.example:" (RFC 5321 4.1.2, A-d-l) */
static bool skip_source_route(struct span *input)
{
        if (input->length == 0 || input->at[0] != '@')
                return true;
        do {
                if (!take(input, '@') || !domain_name_is_valid(take_until(input, ",:>"), true))
                        return false;
        } while (take(input, ','));
        return take(input, ':');
}

static struct span take_local_part(struct span *input)
{
        if (input->length == 0 || input->at[0] != '"')
                return take_until(input, "@>>");
        size_t length = 1;
        while (length < input->length && input->at[length] != '"')
                length += input->at[length] == '\\' ? 2 : 1;
        length = length < input->length ? length + 1 : input->length;
        struct span taken = span_of(input->at, length);
        *input = span_skip(*input, length);
        return taken;
}

static bool local_part_is_valid(struct span local_part, bool is_lenient)
{
        char octets[LOCAL_PART_MAX];
        struct text unquoted;
        text_over(&unquoted, octets, sizeof octets);
        return is_lenient ? local_part_parse_loose(local_part, true, &unquoted)
                          : local_part_parse(local_part, true, &unquoted);
}

static bool domain_parse(struct span *input, struct path *path)
{
        path->domain_is_literal = input->length > 0 && input->at[0] == '[';
        path->domain = take_until(input, path->domain_is_literal ? "]>>" : ">>>");
        if (path->domain_is_literal) {
                struct address address;
                if (!take(input, ']'))
                        return false;
                path->domain.length++;
                return address_parse_literal(path->domain, &address);
        }
        return domain_name_is_valid(path->domain, true);
}

static bool mailbox_parse(struct span *input, bool takes_postmaster, bool is_lenient, struct path *path)
{
        struct span before = *input;
        const char *start = input->at;

        path->local_part = take_local_part(input);
        if (!local_part_is_valid(path->local_part, is_lenient)) {
                *input = before;
                return false;
        }
        if (take(input, '@')) {
                before = *input;
                if (!domain_parse(input, path)) {
                        *input = before;
                        return false;
                }
        } else if (!takes_postmaster || !span_equals_nocase(path->local_part, SPAN("postmaster"))) {
                return false;
        }
        path->address = span_of(start, (size_t)(input->at - start));
        return true;
}

bool path_parse(struct span *input, bool takes_null, bool takes_postmaster, bool is_lenient,
                struct path *ret_path)
{
        while (is_lenient && take(input, ' '))
                ;
        struct span before = *input;
        if (!take(input, '<'))
                return false;
        struct path path = {.address = {input->at, 0}};
        if (!(takes_null && input->length > 0 && input->at[0] == '>'))
                if (!skip_source_route(input) || !mailbox_parse(input, takes_postmaster, is_lenient, &path))
                        return false;
        if (!take(input, '>') || before.length - input->length > PATH_MAX_OCTETS)
                return false;
        path.is_ascii = span_is_ascii(path.address);
        *ret_path = path;
        return true;
}

bool path_is_too_long(struct span input)
{
        size_t end = span_find(input, '>');
        return (end < input.length ? end + 1 : input.length) > PATH_MAX_OCTETS;
}

const struct domain *path_find_domain(const struct path *path, const struct snapshot *snapshot)
{
        char octets[DOMAIN_NAME_MAX];
        struct text name;

        if (path->domain_is_literal)
                return NULL;
        text_over(&name, octets, sizeof octets);
        if (!domain_name_to_ascii(path->domain, &name) || name.overflowed)
                return NULL;
        return snapshot_find_domain(snapshot, text_span(&name));
}

static bool keyword_is_valid(struct span keyword)
{
        for (size_t i = 0; i < keyword.length; i++)
                if (!ascii_is_alnum(keyword.at[i]) && (keyword.at[i] != '-' || i == 0))
                        return false;
        return keyword.length > 0;
}

static bool value_is_valid(struct span value)
{
        for (size_t i = 0; i < value.length; i++)
                if (ascii_is_control(value.at[i]) || value.at[i] == '=')
                        return false;
        return value.length > 0 && span_is_utf8(value);
}

enum parameter_result parameter_next(struct span *input, struct parameter *ret_parameter)
{
        struct span rest = *input;
        struct parameter parameter = {0};

        if (rest.length == 0)
                return PARAMETER_END;
        if (!take(&rest, ' '))
                return PARAMETER_BAD;
        while (take(&rest, ' '))
                ;
        struct span word = take_until(&rest, "   ");
        size_t equals = span_find(word, '=');
        parameter.keyword = span_of(word.at, equals == SIZE_MAX ? word.length : equals);
        if (equals != SIZE_MAX)
                parameter.value = span_skip(word, equals + 1);
        if (!keyword_is_valid(parameter.keyword) || (equals != SIZE_MAX && !value_is_valid(parameter.value)))
                return PARAMETER_BAD;
        *input = rest;
        *ret_parameter = parameter;
        return PARAMETER_FOUND;
}
