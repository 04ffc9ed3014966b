/* Networks, and patterns of addresses. */
#include "core/smtp/follow/filter.h"

/* In time of the product of both lengths at most, for one `*` behind the other. */
static bool matches(struct span pattern, struct span text)
{
        size_t at = 0, star = SIZE_MAX, star_text = 0;

        for (size_t i = 0; i < text.length;) {
                if (at < pattern.length && pattern.at[at] == '*') {
                        star = at++;
                        star_text = i;
                } else if (at < pattern.length && ascii_lower(pattern.at[at]) == ascii_lower(text.at[i])) {
                        at++;
                        i++;
                } else if (star != SIZE_MAX) {
                        at = star + 1;
                        i = ++star_text;
                } else {
                        return false;
                }
        }
        while (at < pattern.length && pattern.at[at] == '*')
                at++;
        return at == pattern.length;
}

static bool parse_pattern(struct span text, enum follow_what what, struct follow_filter *ret_filter)
{
        struct text pattern;

        text_over(&pattern, ret_filter->pattern, sizeof ret_filter->pattern);
        if (text.length >= 2 && text.at[0] == '<' && text.at[text.length - 1] == '>')
                text = span_of(text.at + 1, text.length - 2);
        else if (span_equals(text, SPAN("\"\"")))
                text = SPAN("");
        if (text.length > 0 && text.at[0] == '@')
                text_put_char(&pattern, '*');
        text_put(&pattern, text);
        ret_filter->what = what;
        ret_filter->length = pattern.length;
        return !pattern.overflowed;
}

bool follow_filter_parse(struct span text, struct follow_filter *ret_filter)
{
        *ret_filter = (struct follow_filter){.what = FOLLOW_CLIENT};
        if (span_starts_nocase(text, SPAN("ip=")))
                return network_parse(span_skip(text, 3), &ret_filter->network);
        if (span_starts_nocase(text, SPAN("from=")))
                return parse_pattern(span_skip(text, 5), FOLLOW_SENDER, ret_filter);
        if (span_starts_nocase(text, SPAN("to=")))
                return parse_pattern(span_skip(text, 3), FOLLOW_RECIPIENT, ret_filter);
        return false;
}

bool follow_rate_parse(struct span text, uint64_t *ret_rate)
{
        return span_number(text, ret_rate) && *ret_rate > 0 && *ret_rate <= FOLLOW_RATE_MAX;
}

bool follow_filter_has_client(const struct follow_filter *filter, const struct address *client)
{
        return filter->what == FOLLOW_CLIENT && network_contains(&filter->network, client);
}

bool follow_filter_has_address(const struct follow_filter *filter, enum follow_what what, struct span address)
{
        return filter->what == what && matches(span_of(filter->pattern, filter->length), address);
}
