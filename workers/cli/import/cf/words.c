/* Words of lists. */
#include "workers/cli/import/cf/words.h"

static bool is_separator(char c)
{
        return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',';
}

struct span cf_trim(struct span text)
{
        while (text.length > 0 && is_separator(text.at[0]) && text.at[0] != ',')
                text = span_skip(text, 1);
        while (text.length > 0 && is_separator(text.at[text.length - 1]) && text.at[text.length - 1] != ',')
                text.length--;
        return text;
}

struct span cf_take_word(struct span *rest)
{
        size_t length = 0, depth = 0;

        while (rest->length > 0 && is_separator(rest->at[0]))
                *rest = span_skip(*rest, 1);
        for (; length < rest->length && (depth > 0 || !is_separator(rest->at[length])); length++) {
                depth += rest->at[length] == '{';
                depth -= rest->at[length] == '}' && depth > 0;
        }
        struct span word = span_of(rest->at, length);
        *rest = span_skip(*rest, length);
        return word;
}

bool cf_unbrace(struct span word, struct span *ret_text)
{
        if (word.length < 2 || word.at[0] != '{' || word.at[word.length - 1] != '}')
                return false;
        *ret_text = cf_trim(span_of(word.at + 1, word.length - 2));
        return true;
}

bool cf_assigned(struct span word, const char *name, struct span *ret_value)
{
        cf_unbrace(word, &word);
        size_t equals = span_find(word, '=');
        if (equals == SIZE_MAX || !span_equals(cf_trim(span_of(word.at, equals)), span_from(name)))
                return false;
        *ret_value = cf_trim(span_skip(word, equals + 1));
        return true;
}

bool cf_is_yes(struct span value, bool usual)
{
        return span_equals_nocase(value, SPAN("yes")) || (!span_equals_nocase(value, SPAN("no")) && usual);
}

bool cf_time(struct span value, uint64_t *ret_seconds)
{
        static const struct {
                char unit;
                uint64_t seconds;
        } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
        uint64_t number, factor = 1;

        for (size_t i = 0; value.length > 0 && i < sizeof units / sizeof units[0]; i++)
                if (ascii_lower(value.at[value.length - 1]) == units[i].unit) {
                        factor = units[i].seconds;
                        value.length--;
                        break;
                }
        if (!span_number(value, &number) || number > UINT64_MAX / 1000 / factor)
                return false;
        *ret_seconds = number * factor;
        return true;
}
