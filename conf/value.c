/* Option values from text, by type. */
#include "conf/value.h"

#include "core/base/domain_name.h"

#define ROW(name, type, default, min, max, help, structure, field, check)                                    \
        {#name, default, help, min, max, offsetof(struct structure, field), VALUE_##type, check},

const struct option_row option_rows[OPTION_AT_END + 1] = {
#define OPTION(name, type, default, min, max, help)                                                          \
        ROW(name, type, default, min, max, help, options, name, CHECK_COUNT)
#define DOMAIN_OPTION(name, type, ...)
#define CHECK_OPTION(check, name, type, default, min, max, help)                                             \
        ROW(name, type, default, min, max, help, options, check##_##name, CHECK_##check)
#include "conf/options.def"
#undef OPTION
#undef DOMAIN_OPTION
#undef CHECK_OPTION
    {0}};

const struct option_row domain_option_rows[DOMAIN_OPTION_AT_END + 1] = {
#define OPTION(name, type, ...)
#define DOMAIN_OPTION(name, type, default, min, max, help)                                                   \
        ROW(name, type, default, min, max, help, domain_options, name, CHECK_COUNT)
#define CHECK_OPTION(check, name, type, ...)
#include "conf/options.def"
#undef OPTION
#undef DOMAIN_OPTION
#undef CHECK_OPTION
    {0}};

const struct option_row *option_row_find(const struct option_row *rows, enum check_id check, const char *name)
{
        for (; rows->name != NULL; rows++)
                if (rows->check == check && strcmp(rows->name, name) == 0)
                        return rows;
        return NULL;
}

/* ---- numbers ---- */

struct unit {
        const char *name;
        uint64_t factor;
};

/* Smallest first. */
static const struct unit no_units[] = {{"", 1}, {0}};
static const struct unit duration_units[] = {{"ms", 1},      {"s", 1000},     {"m", 60000},
                                             {"h", 3600000}, {"d", 86400000}, {0}};
static const struct unit size_units[] = {{"", 1}, {"k", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {0}};

static const struct unit *units_of(enum value_type type)
{
        return type == VALUE_DURATION ? duration_units : type == VALUE_SIZE ? size_units : no_units;
}

static void number_write(struct text *text, const struct unit *unit, uint64_t number)
{
        while (unit[1].name != NULL && number > 0 && number % unit[1].factor == 0)
                unit++;
        text_put_number(text, number / unit->factor);
        text_put_string(text, unit->name);
}

static bool number_parse(struct span text, const struct unit *unit, uint64_t *ret_number)
{
        size_t digits = 0;
        uint64_t number;

        while (digits < text.length && ascii_is_digit(text.at[digits]))
                digits++;
        if (!span_number(span_of(text.at, digits), &number))
                return false;
        while (unit->name != NULL && !span_equals(span_skip(text, digits), span_from(unit->name)))
                unit++;
        if (unit->name == NULL && (number != 0 || digits != text.length))
                return false;
        if (unit->name != NULL && __builtin_mul_overflow(number, unit->factor, &number))
                return false;
        *ret_number = number;
        return true;
}

static bool number_set(const struct option_row *row, struct span text, uint64_t *field, struct text *error)
{
        const struct unit *units = units_of(row->type);
        uint64_t number;

        if (!number_parse(text, units, &number)) {
                text_put_string(error, row->type == VALUE_DURATION
                                           ? "needs a duration with unit, such as 250ms, 10s, 5m, 2h or 1d"
                                       : row->type == VALUE_SIZE ? "needs a size, such as 100, 64k, 50M or 1G"
                                                                 : "needs a number");
                return false;
        }
        if (number < row->min || number > row->max) {
                text_put_string(error, "must be from ");
                number_write(error, units, row->min);
                text_put_string(error, " to ");
                number_write(error, units, row->max);
                return false;
        }
        *field = number;
        return true;
}

/* ---- words ---- */

static bool word_parse(struct span text, const char *const *words, unsigned *ret_index)
{
        for (unsigned i = 0; words[i] != NULL; i++)
                if (span_equals(text, span_from(words[i]))) {
                        *ret_index = i;
                        return true;
                }
        return false;
}

/* In the order of their enumerators. */
static const char *const flag_words[] = {"no", "yes", NULL};
static const char *const mode_words[] = {"off", "observe", "enforce", NULL};
static const char *const moment_words[] = {"rcpt", "first", NULL};
static const char *const newline_words[] = {"crlf", "lf", NULL};
static const char *const casing_words[] = {"fold", "exact", NULL};

bool check_mode_parse(struct span text, enum check_mode *ret_mode)
{
        unsigned index;
        if (!word_parse(text, mode_words, &index))
                return false;
        *ret_mode = (enum check_mode)index;
        return true;
}

static bool word_set(struct span text, const char *const *words, unsigned *ret_index, struct text *error)
{
        if (word_parse(text, words, ret_index))
                return true;
        text_put_string(error, "must be ");
        text_put_string(error, words[0]);
        text_put_string(error, " or ");
        text_put_string(error, words[1]);
        return false;
}

/* ---- texts ---- */

const char *arena_string(struct arena *memory, struct span text)
{
        char *copy = arena_take(memory, text.length + 1);
        if (copy == NULL)
                return NULL;
        if (text.length > 0)
                memcpy(copy, text.at, text.length);
        copy[text.length] = '\0';
        return copy;
}

/* Appends the components of `path` to `text`, which is empty or an absolute path. */
static void path_append(struct text *text, struct span path)
{
        while (path.length > 0) {
                size_t slash = span_find(path, '/');
                struct span component = span_of(path.at, slash == SIZE_MAX ? path.length : slash);
                path = span_skip(path, component.length + 1);
                if (span_equals(component, SPAN(".."))) {
                        size_t last = span_find_last(text_span(text), '/');
                        text->length = last == SIZE_MAX ? 0 : last;
                } else if (component.length > 0 && !span_equals(component, SPAN("."))) {
                        text_put_char(text, '/');
                        text_put(text, component);
                }
        }
}

const char *path_resolve(struct span path, const char *directory, struct arena *memory)
{
        size_t size = strlen(directory) + path.length + 3;
        char *octets = arena_take(memory, size);
        struct text text;

        if (octets == NULL)
                return NULL;
        text_over(&text, octets, size - 1);
        if (path.length == 0 || path.at[0] != '/')
                path_append(&text, span_from(directory));
        path_append(&text, path);
        if (text.length == 0)
                text_put_char(&text, '/');
        octets[text.length] = '\0';
        return octets;
}

/* ---- lists ---- */

/* Room for one more item behind `count`; the array grows at powers of two, the old one stays in the arena. */
static void *list_grow(struct arena *memory, void *items, size_t count, size_t item_size)
{
        if (count > 0 && (count & (count - 1)) != 0)
                return items;
        void *grown = arena_take(memory, (count == 0 ? 1 : count * 2) * item_size);
        if (grown != NULL && count > 0)
                memcpy(grown, items, count * item_size);
        return grown;
}

static bool say_out_of_memory(struct text *error)
{
        text_put_string(error, "out of memory");
        return false;
}

static bool name_append(struct span text, struct text_list *list, struct arena *memory, struct text *error)
{
        char octets[DOMAIN_NAME_MAX + 1];
        struct text name;

        text_over(&name, octets, sizeof octets);
        if (!domain_name_is_valid(text, true) || !domain_name_to_ascii(text, &name) || name.overflowed) {
                text_put_string(error, "needs domain names");
                return false;
        }
        const char **texts = list_grow(memory, list->texts, list->count, sizeof *texts);
        const char *copy = arena_string(memory, text_span(&name));
        if (texts == NULL || copy == NULL)
                return say_out_of_memory(error);
        list->texts = texts;
        list->texts[list->count++] = copy;
        return true;
}

static bool network_append(struct span text, struct network_list *list, struct arena *memory,
                           struct text *error)
{
        struct network network;
        if (!network_parse(text, &network)) {
                text_put_string(error,
                                "needs networks such as 192.0.2.0/24 or 2001:db8::/32, host bits zero");
                return false;
        }
        struct network *networks = list_grow(memory, list->networks, list->count, sizeof network);
        if (networks == NULL)
                return say_out_of_memory(error);
        list->networks = networks;
        list->networks[list->count++] = network;
        return true;
}

/* "192.0.2.1:25", "[2001:db8::1]:25" */
static bool endpoint_parse(struct span text, struct endpoint *ret_endpoint)
{
        struct endpoint endpoint;
        size_t colon = span_find_last(text, ':');
        uint64_t port;

        if (colon == SIZE_MAX || !span_number(span_skip(text, colon + 1), &port) || port < 1 ||
            port > UINT16_MAX)
                return false;
        struct span host = span_of(text.at, colon);
        bool bracketed = host.length > 2 && host.at[0] == '[' && host.at[host.length - 1] == ']';
        if (bracketed)
                host = span_of(host.at + 1, host.length - 2);
        if (bracketed != (span_find(host, ':') != SIZE_MAX) || !address_parse(host, &endpoint.address))
                return false;
        endpoint.port = (uint16_t)port;
        *ret_endpoint = endpoint;
        return true;
}

static bool endpoint_append(struct span text, struct endpoint_list *list, struct arena *memory,
                            struct text *error)
{
        struct endpoint endpoint;
        if (!endpoint_parse(text, &endpoint)) {
                text_put_string(error, "needs addresses with port, such as 192.0.2.1:25 or [2001:db8::1]:25");
                return false;
        }
        for (size_t i = 0; i < list->count; i++)
                if (endpoint.port == list->endpoints[i].port &&
                    address_equals(&endpoint.address, &list->endpoints[i].address)) {
                        text_put_string(error, "names an address twice");
                        return false;
                }
        struct endpoint *endpoints = list_grow(memory, list->endpoints, list->count, sizeof endpoint);
        if (endpoints == NULL)
                return say_out_of_memory(error);
        list->endpoints = endpoints;
        list->endpoints[list->count++] = endpoint;
        return true;
}

/* ---- all ---- */

bool value_is_list(enum value_type type)
{
        return type == VALUE_NAMES || type == VALUE_NETWORKS || type == VALUE_ENDPOINTS;
}

void value_clear_list(const struct option_row *row, void *base)
{
        void *field = (char *)base + row->offset;
        if (row->type == VALUE_NAMES)
                *(struct text_list *)field = (struct text_list){0};
        if (row->type == VALUE_NETWORKS)
                *(struct network_list *)field = (struct network_list){0};
        if (row->type == VALUE_ENDPOINTS)
                *(struct endpoint_list *)field = (struct endpoint_list){0};
}

/* An empty path stays empty. */
static bool text_set(const struct option_row *row, struct span text, const char **field, struct arena *memory,
                     const char *directory, struct text *error)
{
        const char *copy = row->type == VALUE_PATH && text.length > 0 ? path_resolve(text, directory, memory)
                                                                      : arena_string(memory, text);
        if (copy == NULL)
                return say_out_of_memory(error);
        *field = copy;
        return true;
}

bool value_set(const struct option_row *row, struct span text, void *base, struct arena *memory,
               const char *directory, struct text *ret_error)
{
        void *field = (char *)base + row->offset;
        unsigned flag;

        switch (row->type) {
        case VALUE_COUNT:
        case VALUE_DURATION:
        case VALUE_SIZE:
                return number_set(row, text, field, ret_error);
        case VALUE_FLAG:
                if (!word_set(text, flag_words, &flag, ret_error))
                        return false;
                *(bool *)field = flag != 0;
                return true;
        case VALUE_TEXT:
        case VALUE_PATH:
                return text_set(row, text, field, memory, directory, ret_error);
        case VALUE_NAMES:
                return name_append(text, field, memory, ret_error);
        case VALUE_NETWORKS:
                return network_append(text, field, memory, ret_error);
        case VALUE_ENDPOINTS:
                return endpoint_append(text, field, memory, ret_error);
        case VALUE_MOMENT:
                return word_set(text, moment_words, field, ret_error);
        case VALUE_NEWLINE:
                return word_set(text, newline_words, field, ret_error);
        case VALUE_CASING:
                return word_set(text, casing_words, field, ret_error);
        }
        return false;
}

bool value_set_default(const struct option_row *row, void *base, struct arena *memory)
{
        char octets[256];
        struct text error;
        struct span rest = span_from(row->default_text);

        text_over(&error, octets, sizeof octets);
        if (!value_is_list(row->type))
                return value_set(row, rest, base, memory, "/", &error);
        value_clear_list(row, base);
        while (rest.length > 0) {
                size_t comma = span_find(rest, ',');
                struct span item = span_trim(span_of(rest.at, comma == SIZE_MAX ? rest.length : comma));
                if (!value_set(row, item, base, memory, "/", &error))
                        return false;
                rest = comma == SIZE_MAX ? span_skip(rest, rest.length) : span_skip(rest, comma + 1);
        }
        return true;
}
