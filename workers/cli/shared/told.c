/* Strings and places as JSON, and JSON on a terminal. */
#include "workers/cli/shared/told.h"

#include <stdio.h>

#define VALUE_MAX 2048 /* octets of one value */

json_t *told_string(struct span value)
{
        char octets[VALUE_MAX];
        struct text text;

        text_over(&text, octets, sizeof octets);
        text_put_printable(&text, value, true);
        return json_stringn(text.at, text.length);
}

void told_put(json_t *object, const char *key, struct span value)
{
        if (value.length > 0)
                json_object_set_new(object, key, told_string(value));
}

void told_put_text(json_t *object, const char *key, const char *value)
{
        if (value != NULL)
                told_put(object, key, span_from(value));
}

void told_put_number(json_t *object, const char *key, uint64_t number)
{
        json_object_set_new(object, key, json_integer((json_int_t)number));
}

void told_put_checks(json_t *object, const char *key, uint64_t checks)
{
        json_t *names = json_array();

        for (uint64_t left = checks; left != 0; left &= left - 1)
                json_array_append_new(names, told_string(span_from(check_infos[__builtin_ctzll(left)].name)));
        json_object_set_new(object, key, names);
}

void told_put_place(json_t *object, const struct place *place)
{
        if (place->line == 0) {
                json_object_set_new(object, "default", json_true());
                return;
        }
        told_put_text(object, "file", place->file);
        json_object_set_new(object, "line", json_integer(place->line));
}

void told_print_text(const char *words)
{
        char octets[VALUE_MAX];
        struct text text;

        text_over(&text, octets, sizeof octets);
        text_put_printable(&text, words == NULL ? SPAN("") : span_from(words), true);
        printf("%.*s", (int)text.length, text.at);
}

void told_print_place(const json_t *object)
{
        const char *file = json_string_value(json_object_get(object, "file"));

        if (file == NULL) {
                printf(json_object_get(object, "default") == NULL ? " (a rule)" : " (default)");
                return;
        }
        printf(" (");
        told_print_text(file);
        printf(":%" JSON_INTEGER_FORMAT ")", json_integer_value(json_object_get(object, "line")));
}

void told_print(const json_t *value)
{
        json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
        putchar('\n');
}
