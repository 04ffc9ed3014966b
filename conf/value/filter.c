/* Filters for IPv4 addresses: reading and matching. */
#include "conf/value/filter.h"

#define OCTET_TEXT_MAX 512 /* every other value of 256 */

/* "7" or "2..11" */
static bool values_add(struct span text, uint64_t octet[static 4])
{
        size_t dot = span_find(text, '.'), second_dot = span_find_last(text, '.');
        uint64_t from, to;

        if (dot != SIZE_MAX && second_dot != dot + 1)
                return false;
        if (!span_number(span_of(text.at, dot == SIZE_MAX ? text.length : dot), &from) ||
            !span_number(dot == SIZE_MAX ? text : span_skip(text, dot + 2), &to) || from > to || to > 255)
                return false;
        for (; from <= to; from++)
                octet[from / 64] |= UINT64_C(1) << from % 64;
        return true;
}

/* "7" or "[1;2..11]" */
static bool octet_parse(struct span text, uint64_t octet[static 4])
{
        if (text.length < 2 || text.at[0] != '[' || text.at[text.length - 1] != ']')
                return values_add(text, octet);
        text = span_of(text.at + 1, text.length - 2);
        for (;;) {
                size_t end = span_find(text, ';');
                if (!values_add(span_of(text.at, end == SIZE_MAX ? text.length : end), octet))
                        return false;
                if (end == SIZE_MAX)
                        return true;
                text = span_skip(text, end + 1);
        }
}

bool answer_filter_parse(struct span text, struct answer_filter *ret_filter)
{
        struct answer_filter filter = {0};

        for (int i = 0; i < 4; i++) {
                size_t bracket = text.length > 0 && text.at[0] == '[' ? span_find(text, ']') : 0;
                size_t dot = bracket == SIZE_MAX ? SIZE_MAX : span_find(span_skip(text, bracket), '.');
                struct span octet = span_of(text.at, dot == SIZE_MAX ? text.length : bracket + dot);
                if ((dot == SIZE_MAX) != (i == 3) || !octet_parse(octet, filter.octets[i]))
                        return false;
                text = span_skip(text, octet.length + 1);
        }
        *ret_filter = filter;
        return true;
}

static bool octet_has(const uint64_t octet[static 4], unsigned value)
{
        return value < 256 && (octet[value / 64] >> value % 64 & 1) != 0;
}

/* "7", "2..11", "1;3" */
static void values_write(struct text *text, const uint64_t octet[static 4])
{
        for (unsigned from = 0, to; from < 256; from = to + 1) {
                for (to = from; octet_has(octet, from) && octet_has(octet, to + 1); to++)
                        continue;
                if (!octet_has(octet, from))
                        continue;
                text_put_string(text, text->length > 0 ? ";" : "");
                text_put_number(text, from);
                if (to > from) {
                        text_put_string(text, "..");
                        text_put_number(text, to);
                }
        }
}

void answer_filter_write(struct text *text, const struct answer_filter *filter)
{
        for (int i = 0; i < 4; i++) {
                char octets[OCTET_TEXT_MAX];
                struct text values;
                uint64_t ignored;

                text_over(&values, octets, sizeof octets);
                values_write(&values, filter->octets[i]);
                bool is_one = span_number(text_span(&values), &ignored);
                text_put_string(text, i == 0 ? "" : ".");
                text_put_string(text, is_one ? "" : "[");
                text_put(text, text_span(&values));
                text_put_string(text, is_one ? "" : "]");
        }
}

static bool filter_matches(const struct answer_filter *filter, const uint8_t *address)
{
        for (int i = 0; i < 4; i++)
                if ((filter->octets[i][address[i] / 64] >> address[i] % 64 & 1) == 0)
                        return false;
        return true;
}

bool filter_list_matches(const struct filter_list *list, const uint8_t address[static 4])
{
        for (size_t i = 0; i < list->count; i++)
                if (filter_matches(&list->filters[i], address))
                        return true;
        return false;
}
