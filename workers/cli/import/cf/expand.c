/* A recursive descent of bounded depth. */
#include "workers/cli/import/cf/expand.h"

#include "workers/cli/import/cf/words.h"

#define DEPTH_MAX 40
#define STEPS_MAX 5000 /* texts looked through: variables of variables could double the work with each */

struct expansion {
        const struct cf *cf;
        struct text *text;
        struct cf_fault *fault;
        unsigned steps; /* left */
};

static bool expand(struct expansion *expansion, struct span value, unsigned depth);

static size_t name_length(struct span text)
{
        size_t length = 0;

        while (length < text.length && (ascii_is_alnum(text.at[length]) || text.at[length] == '_'))
                length++;
        return length;
}

/* Up to the bracket that ends what text.at[0] begins; SIZE_MAX: there is none. */
static size_t closing(struct span text)
{
        char open = text.at[0], close = open == '{' ? '}' : ')';
        size_t depth = 0;

        for (size_t i = 0; i < text.length; i++) {
                depth += text.at[i] == open;
                if (text.at[i] == close && --depth == 0)
                        return i;
        }
        return SIZE_MAX;
}

/* ---- what a name stands for ---------------------------------------------------------------------------- */

/* mydomain is what stands behind the first dot of myhostname. */
static bool expand_domain(struct expansion *expansion, unsigned depth)
{
        struct text *text = expansion->text;
        size_t start = text->length;

        if (!expand(expansion, SPAN("$myhostname"), depth))
                return false;
        struct span name = span_skip(text_span(text), start);
        size_t dot = span_find(name, '.');
        struct span domain = dot == SIZE_MAX ? SPAN("localdomain") : span_skip(name, dot + 1);
        text->length = start;
        if (domain.length <= text_room(text))
                memmove(text->at + start, domain.at, domain.length);
        text->overflowed |= domain.length > text_room(text);
        text->length += text->overflowed ? 0 : domain.length;
        return true;
}

static bool expand_name(struct expansion *expansion, struct span name, unsigned depth)
{
        const struct cf_setting *setting = cf_find_span(expansion->cf, name);

        if (setting != NULL)
                return expand(expansion, setting->value, depth);
        if (span_equals(name, SPAN("mydomain")))
                return expand_domain(expansion, depth);
        return expand(expansion, cf_default(expansion->cf, name), depth);
}

/* ---- ${...} -------------------------------------------------------------------------------------------- */

/* Cuts "{text}" off *rest, with the blanks around it and within. */
static bool take_braced(struct span *rest, struct span *ret_text)
{
        *rest = cf_trim(*rest);
        size_t end = rest->length > 0 && rest->at[0] == '{' ? closing(*rest) : SIZE_MAX;
        if (end == SIZE_MAX)
                return false;
        *ret_text = cf_trim(span_of(rest->at + 1, end - 1));
        *rest = cf_trim(span_skip(*rest, end + 1));
        return true;
}

/* Behind "?": "{text}:{text}", or "text" up to the end. */
static bool take_choices(struct span rest, struct span *ret_then, struct span *ret_else)
{
        *ret_then = *ret_else = span_of("", 0);
        struct span braced = cf_trim(rest);
        if (braced.length == 0 || braced.at[0] != '{') {
                *ret_then = rest;
                return true;
        }
        if (!take_braced(&braced, ret_then))
                return false;
        if (braced.length == 0)
                return true;
        if (braced.at[0] != ':')
                return false;
        braced = cf_trim(span_skip(braced, 1));
        if (braced.length == 0 || braced.at[0] != '{') {
                *ret_else = braced;
                return true;
        }
        return take_braced(&braced, ret_else) && braced.length == 0;
}

static int compare(struct span left, struct span right)
{
        uint64_t a, b;

        if (span_number(left, &a) && span_number(right, &b))
                return a < b ? -1 : a > b;
        size_t length = left.length < right.length ? left.length : right.length;
        int order = length == 0 ? 0 : memcmp(left.at, right.at, length);
        return order != 0 ? order : left.length < right.length ? -1 : left.length > right.length;
}

/* False: there is no such operator. */
static bool find_outcome(struct span word, int order, bool *ret_holds)
{
        static const struct {
                const char *word;
                bool less, equal, more;
        } operators[] = {{"==", 0, 1, 0}, {"!=", 1, 0, 1}, {"<=", 1, 1, 0},
                         {">=", 0, 1, 1}, {"<", 1, 0, 0},  {">", 0, 0, 1}};

        for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++)
                if (span_equals(word, span_from(operators[i].word))) {
                        *ret_holds = order < 0    ? operators[i].less
                                     : order == 0 ? operators[i].equal
                                                  : operators[i].more;
                        return true;
                }
        return false;
}

/* Both sides are written behind the text, compared there, and taken away again. */
static bool compare_sides(struct expansion *expansion, struct span left, struct span right, unsigned depth,
                          int *ret_order)
{
        struct text *text = expansion->text;
        size_t start = text->length;

        if (!expand(expansion, left, depth))
                return false;
        size_t middle = text->length;
        if (!expand(expansion, right, depth))
                return false;
        *ret_order = compare(span_of(text->at + start, middle - start),
                             span_of(text->at + middle, text->length - middle));
        text->length = start;
        return true;
}

/* "{text} == {text} ? {text} : {text}" */
static bool expand_comparison(struct expansion *expansion, struct span rest, unsigned depth)
{
        struct span left, right, then, otherwise;
        size_t length = 0;
        bool holds;
        int order;

        if (!take_braced(&rest, &left))
                return cf_say(expansion->fault, 0, "a comparison in ${...} that does not end");
        while (length < rest.length && span_find(SPAN("=!<>"), rest.at[length]) != SIZE_MAX)
                length++;
        struct span operator= span_of(rest.at, length);
        rest = span_skip(rest, length);
        if (!take_braced(&rest, &right) || rest.length == 0 || rest.at[0] != '?' ||
            !take_choices(span_skip(rest, 1), &then, &otherwise))
                return cf_say(expansion->fault, 0, "a comparison in ${...} that cannot be understood");
        if (!compare_sides(expansion, left, right, depth, &order))
                return false;
        if (!find_outcome(operator, order, &holds))
                return cf_say(expansion->fault, 0, "a comparison in ${...} that cannot be understood");
        return expand(expansion, holds ? then : otherwise, depth);
}

static bool expand_brackets(struct expansion *expansion, struct span inside, unsigned depth)
{
        struct span then, otherwise, rest = cf_trim(inside);
        size_t start = expansion->text->length;

        if (rest.length > 0 && rest.at[0] == '{')
                return expand_comparison(expansion, rest, depth);
        struct span name = span_of(rest.at, name_length(rest));
        rest = cf_trim(span_skip(rest, name.length));
        if (name.length == 0)
                return cf_say(expansion->fault, 0, "a variable without a name");
        if (!expand_name(expansion, name, depth))
                return false;
        if (rest.length == 0)
                return true;
        bool is_set = expansion->text->length > start;
        expansion->text->length = start;
        if ((rest.at[0] != '?' && rest.at[0] != ':') || !take_choices(span_skip(rest, 1), &then, &otherwise))
                return cf_say(expansion->fault, 0, "${%.*s...} cannot be understood", SPAN_ARG(name));
        return expand(expansion, is_set == (rest.at[0] == '?') ? then : otherwise, depth);
}

/* At "$": what follows is cut off *rest. */
static bool expand_variable(struct expansion *expansion, struct span *rest, unsigned depth)
{
        struct span behind = span_skip(*rest, 1);

        if (behind.length > 0 && behind.at[0] == '$') {
                text_put_char(expansion->text, '$');
                *rest = span_skip(behind, 1);
                return true;
        }
        if (behind.length > 0 && (behind.at[0] == '{' || behind.at[0] == '(')) {
                size_t end = closing(behind);
                if (end == SIZE_MAX)
                        return cf_say(expansion->fault, 0, "a variable that does not end");
                *rest = span_skip(behind, end + 1);
                return expand_brackets(expansion, span_of(behind.at + 1, end - 1), depth);
        }
        struct span name = span_of(behind.at, name_length(behind));
        if (name.length == 0)
                return cf_say(expansion->fault, 0, "a $ without a name behind it");
        *rest = span_skip(behind, name.length);
        return expand_name(expansion, name, depth);
}

static bool expand(struct expansion *expansion, struct span value, unsigned depth)
{
        if (depth == DEPTH_MAX || expansion->steps == 0)
                return cf_say(expansion->fault, 0, "variables that stand for each other without end");
        expansion->steps--;
        while (value.length > 0) {
                size_t dollar = span_find(value, '$');
                text_put(expansion->text, span_of(value.at, dollar == SIZE_MAX ? value.length : dollar));
                value = span_skip(value, dollar == SIZE_MAX ? value.length : dollar);
                if (value.length > 0 && !expand_variable(expansion, &value, depth + 1))
                        return false;
        }
        return !expansion->text->overflowed ||
               cf_say(expansion->fault, 0, "a value longer than %zu octets", CF_VALUE_MAX);
}

bool cf_expand(const struct cf *cf, struct span value, struct span *ret_text, struct cf_fault *ret_fault)
{
        char octets[CF_VALUE_MAX];
        struct text text;
        struct expansion expansion = {cf, &text, ret_fault, STEPS_MAX};

        text_over(&text, octets, sizeof octets);
        if (!expand(&expansion, value, 0))
                return false;
        *ret_text = keep_span(cf->keep, text_span(&text));
        return true;
}

bool cf_value(const struct cf *cf, const char *name, struct span *ret_text, struct cf_fault *ret_fault)
{
        const struct cf_setting *setting = cf_find(cf, name);

        if (setting != NULL && !cf_expand(cf, setting->value, ret_text, ret_fault)) {
                ret_fault->line = setting->line;
                return false;
        }
        if (setting == NULL && strcmp(name, "mydomain") == 0)
                return cf_expand(cf, SPAN("$mydomain"), ret_text, ret_fault);
        return setting != NULL || cf_expand(cf, cf_default(cf, span_from(name)), ret_text, ret_fault);
}
