/* Nothing is copied: values are spans of the list. */
#include "core/auth/tags.h"

struct span tag_trim(struct span value)
{
        while (value.length > 0 && tag_is_blank(value.at[0]))
                value = span_skip(value, 1);
        while (value.length > 0 && tag_is_blank(value.at[value.length - 1]))
                value.length--;
        return value;
}

struct span tag_take(struct span *rest, char separator)
{
        return tag_trim(span_take_until(rest, separator));
}

/* tag-name of RFC 6376 3.2. */
static bool is_name(struct span name)
{
        if (name.length == 0 || !ascii_is_alpha(name.at[0]))
                return false;
        for (size_t i = 1; i < name.length; i++)
                if (!ascii_is_alnum(name.at[i]) && name.at[i] != '_')
                        return false;
        return true;
}

/* tag-value; UTF-8 may stand in it where RFC 8616 has it, and whoever reads that tag sees to it. */
static bool is_value(struct span value)
{
        for (size_t i = 0; i < value.length; i++)
                if (ascii_is_control(value.at[i]) && !tag_is_blank(value.at[i]))
                        return false;
        return true;
}

enum tag_step tag_next(struct span *rest, struct tag *ret_tag)
{
        size_t end = span_find(*rest, ';');
        struct span spec = span_of(rest->at, end == SIZE_MAX ? rest->length : end);
        size_t equals = span_find(spec, '=');
        struct tag tag;

        *rest = span_skip(*rest, spec.length + 1);
        if (tag_trim(spec).length == 0)
                return TAG_EMPTY;
        if (equals == SIZE_MAX)
                return TAG_BAD;
        tag.name = tag_trim(span_of(spec.at, equals));
        tag.raw = span_skip(spec, equals + 1);
        tag.value = tag_trim(tag.raw);
        if (!is_name(tag.name) || !is_value(tag.value))
                return TAG_BAD;
        *ret_tag = tag;
        return TAG_FOUND;
}

enum tag_list tag_list_read(struct span list, const struct span *names, size_t count, struct tag *ret_tags)
{
        enum tag_step step;
        struct tag tag;

        memset(ret_tags, 0, count * sizeof *ret_tags);
        while (list.length > 0) {
                step = tag_next(&list, &tag);
                /* Nothing may stand between two ";". */
                if (step == TAG_BAD || (step == TAG_EMPTY && list.length > 0))
                        return TAG_LIST_BAD;
                for (size_t i = 0; i < count && step == TAG_FOUND; i++) {
                        if (!span_equals(tag.name, names[i]))
                                continue;
                        if (ret_tags[i].name.at != NULL)
                                return TAG_LIST_TWICE;
                        ret_tags[i] = tag;
                }
        }
        return TAG_LIST_WELL;
}

/* -1: none of base64 (RFC 4648 4). */
static int base64_value(char octet)
{
        if (ascii_is_alpha(octet))
                return octet >= 'a' ? octet - 'a' + 26 : octet - 'A';
        if (ascii_is_digit(octet))
                return octet - '0' + 52;
        return octet == '+' ? 62 : octet == '/' ? 63 : -1;
}

bool tag_base64(struct span value, uint8_t *ret_octets, size_t room, size_t *ret_length)
{
        unsigned digits = 0, pads = 0;
        uint32_t bits = 0;
        size_t length = 0;

        for (size_t i = 0; i < value.length; i++) {
                int digit = base64_value(value.at[i]);
                if (tag_is_blank(value.at[i]))
                        continue;
                if (value.at[i] == '=' && ++pads <= 2)
                        continue;
                if (digit < 0 || pads > 0)
                        return false;
                bits = bits << 6 | (uint32_t)digit;
                if (digits++ % 4 == 0)
                        continue;
                if (length == room)
                        return false;
                ret_octets[length++] = (uint8_t)(bits >> (6 - 2 * ((digits - 1) % 4)));
        }
        *ret_length = length;
        /* A lone digit is no octet; padding fills up to four. */
        return digits % 4 != 1 && (pads == 0 || (digits + pads) % 4 == 0);
}
