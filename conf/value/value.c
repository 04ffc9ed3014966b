/* Option values from text, by type. */
#include "conf/value/value.h"

#include "conf/value/list.h"
#include "conf/value/rate.h"

#include <inttypes.h>

#define ROW(name, type, default, min, max, help, structure, field, check)                                    \
        {#name,        default, help, min, max, offsetof(struct structure, OPTION_NAME_##type(field)),       \
         VALUE_##type, check},

const struct option_row option_rows[OPTION_AT_END + 1] = {
#define OPTION(name, type, default, min, max, help)                                                          \
        ROW(name, type, default, min, max, help, options, name, CHECK_COUNT)
#define CHECK_OPTION(check, name, type, default, min, max, help)                                             \
        ROW(name, type, default, min, max, help, options, check##_##name, CHECK_##check)
#define TLS_OPTION(name, type, default, min, max, help)                                                      \
        ROW(name, type, default, min, max, help, options, tls_##name, SECTION_TLS)
#define HTTP_OPTION(name, type, default, min, max, help)                                                     \
        ROW(name, type, default, min, max, help, options, http_##name, SECTION_HTTP)
#define PAGE_OPTION(name, type, default, min, max, help)                                                     \
        ROW(name, type, default, min, max, help, options, policy_page_##name, SECTION_PAGE)
#define HOPS_OPTION(name, type, default, min, max, help)                                                     \
        ROW(name, type, default, min, max, help, options, next_hops_##name, SECTION_HOPS)
#include "conf/options.def"
    {0}};

const struct option_row domain_option_rows[DOMAIN_OPTION_AT_END + 1] = {
#define DOMAIN_OPTION(name, type, default, min, max, help)                                                   \
        ROW(name, type, default, min, max, help, domain_options, name, CHECK_COUNT)
#include "conf/options.def"
    {0}};

const struct option_row zone_option_rows[ZONE_OPTION_AT_END + 1] = {
#define ZONE_OPTION(name, type, default, min, max, help)                                                     \
        ROW(name, type, default, min, max, help, zone_options, name, CHECK_COUNT)
#include "conf/options.def"
    {0}};

const char *const filter_kind_names[] = {[FILTER_MILTER] = "milter", [FILTER_SERVICE] = "policy_service"};

#define FILTER_ROW(name, type, default, min, max, help)                                                      \
        ROW(name, type, default, min, max, help, filter_options, name, CHECK_COUNT)

const struct option_row milter_option_rows[MILTER_OPTION_AT_END + 1] = {
#define FILTER_OPTION(...) FILTER_ROW(__VA_ARGS__)
#define MILTER_OPTION(...) FILTER_ROW(__VA_ARGS__)
#include "conf/options.def"
    {0}};

const struct option_row service_option_rows[SERVICE_OPTION_AT_END + 1] = {
#define FILTER_OPTION(...)  FILTER_ROW(__VA_ARGS__)
#define SERVICE_OPTION(...) FILTER_ROW(__VA_ARGS__)
#include "conf/options.def"
    {0}};

const struct option_row terms_option_rows[TERMS_OPTION_AT_END + 1] = {
#define TERMS_OPTION(name, type, default, min, max, help)                                                    \
        ROW(name, type, default, min, max, help, terms_options, name, CHECK_COUNT)
#include "conf/options.def"
    {0}};

const struct old_option_name old_option_names[] = {
#define OLD_NAME(old, name) {#old, #name},
#include "conf/options.def"
    {0}};

const char *option_name_today(const char *name)
{
        for (const struct old_option_name *old = old_option_names; old->old != NULL; old++)
                if (strcmp(old->old, name) == 0)
                        return old->name;
        return name;
}

const struct option_row *option_row_find(const struct option_row *rows, enum check_id check, const char *name)
{
        for (; rows->name != NULL; rows++)
                if (rows->check == check && strcmp(rows->name, name) == 0)
                        return rows;
        return NULL;
}

bool check_has_options(enum check_id check)
{
        for (const struct option_row *row = option_rows; row->name != NULL; row++)
                if (row->check == check)
                        return true;
        return false;
}

/* ---- numbers ------------------------------------------------------------------------------------------- */

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

bool duration_parse(struct span text, uint64_t *ret_ms)
{
        return number_parse(text, duration_units, ret_ms);
}

void duration_write(struct text *text, uint64_t ms)
{
        number_write(text, duration_units, ms);
}

void value_write_number(struct text *text, const struct option_row *row, uint64_t number)
{
        if (row->type == VALUE_AUTO_COUNT && number == OPTION_AUTO)
                text_put(text, SPAN("auto"));
        else
                number_write(text, units_of(row->type), number);
}

static bool number_set(const struct option_row *row, struct span text, uint64_t *field, struct text *error)
{
        const struct unit *units = units_of(row->type);
        uint64_t number;

        if (!number_parse(text, units, &number)) {
                text_put_string(error, row->type == VALUE_DURATION
                                           ? "needs a duration with unit, such as 250ms, 10s, 5m, 2h or 1d"
                                       : row->type == VALUE_SIZE ? "needs a size, such as 100, 64k, 50M or 1G"
                                       : row->type == VALUE_AUTO_COUNT ? "needs a number, or auto"
                                                                       : "needs a number");
                return false;
        }
        if (number < (uint64_t)row->min || number > (uint64_t)row->max) {
                text_put_string(error, "must be from ");
                number_write(error, units, (uint64_t)row->min);
                text_put_string(error, " to ");
                number_write(error, units, (uint64_t)row->max);
                return false;
        }
        *field = number;
        return true;
}

static bool is_digits(struct span text)
{
        for (size_t i = 0; i < text.length; i++)
                if (!ascii_is_digit(text.at[i]))
                        return false;
        return text.length > 0;
}

static bool weight_set(const struct option_row *row, struct span text, int64_t *field, struct text *error)
{
        bool is_negative = text.length > 0 && text.at[0] == '-';
        int64_t limit = is_negative ? -row->min : row->max;
        uint64_t number;

        if (!is_digits(span_skip(text, is_negative))) {
                text_put_string(error, "needs a whole number such as 2, or -1 for an allowlist");
                return false;
        }
        if (!span_number(span_skip(text, is_negative), &number) || number == 0 || number > (uint64_t)limit) {
                text_printf(error, "must be from %" PRId64 " to %" PRId64 ", and not 0", row->min, row->max);
                return false;
        }
        *field = is_negative ? -(int64_t)number : (int64_t)number;
        return true;
}

/* ---- words --------------------------------------------------------------------------------------------- */

static bool word_parse(struct span text, const char *const *words, unsigned *ret_index)
{
        for (unsigned i = 0; words[i] != NULL; i++)
                if (span_equals(text, span_from(words[i]))) {
                        *ret_index = i;
                        return true;
                }
        return false;
}

#define WORDS_MAX (FEED_FORMATS + 1)

/* Of the types that are one word out of a few, in the order of their enumerators. */
static const char *const words_of_types[VALUE_TYPES][WORDS_MAX] = {
    [VALUE_FLAG] = {"no", "yes", NULL},
    [VALUE_MOMENT] = {"rcpt", "first", NULL},
    [VALUE_NEWLINE] = {"crlf", "lf", NULL},
    [VALUE_CASING] = {"fold", "exact", NULL},
    [VALUE_DOOR] = {"rcpt", "load", "accept", NULL},
    [VALUE_MODE] = {"off", "observe", "enforce", NULL},
    [VALUE_ACTION] = {"pass", "defer", "refuse", NULL},
    [VALUE_EXCHANGE] = {"mx", "mx-or-address", NULL},
    [VALUE_FORMAT] = {FEED_FORMAT_NAMES, NULL},
    [VALUE_FALLBACK] = {"error", "dns", NULL},
    [VALUE_REPAIR] = {"refuse", "normalise", NULL},
    [VALUE_SANDBOX] = {"off", "observe", "enforce", "kill", NULL},
    [VALUE_STARTTLS] = {"offer", "require", "off", NULL},
    [VALUE_VERSION] = {"1.0", "1.1", "1.2", "1.3", NULL},
    [VALUE_WISH] = {"no", "ask", NULL},
    [VALUE_LANGUAGE] = {"en", "de", NULL},
    [VALUE_ADDRESSES] = {"plain", "pseudonym", NULL},
    [VALUE_ASKED] = {"rcpt", "end", "both", NULL},
    [VALUE_NAMING] = {"none", "xclient", "xforward", NULL},
    [VALUE_SECURING] = {"none", "may", "must", NULL},
    [VALUE_JOURNAL] = {"never", "when-down", "always", NULL},
    [VALUE_FIELD] = {"auto", "yes", "no", NULL},
    [VALUE_DELIVERED] = {"no", "mailbox", "address", NULL},
    [VALUE_LEAVING] = {"refuse", "dmarc", NULL},
    [VALUE_QUARANTINE] = {"no", "field", "refuse", NULL},
};
static const char *const mild_action_words[] = {"pass", "defer", NULL};

bool check_mode_parse(struct span text, enum check_mode *ret_mode)
{
        unsigned index;
        if (!word_parse(text, words_of_types[VALUE_MODE], &index))
                return false;
        *ret_mode = (enum check_mode)index;
        return true;
}

const char *const *value_words(const struct option_row *row)
{
        if (row->type == VALUE_ACTION && row->max != ACTION_REFUSE)
                return mild_action_words;
        return words_of_types[row->type][0] == NULL ? NULL : words_of_types[row->type];
}

const char *value_word(const struct option_row *row, const void *base)
{
        const void *field = (const char *)base + row->offset;
        const char *const *words = value_words(row);

        if (row->type == VALUE_FLAG)
                return words[*(const bool *)field];
        return words == NULL ? NULL : words[*(const unsigned *)field];
}

static bool word_set(struct span text, const char *const *words, unsigned *ret_index, struct text *error)
{
        if (word_parse(text, words, ret_index))
                return true;
        text_put_string(error, "must be ");
        for (size_t i = 0; words[i] != NULL; i++) {
                text_put_string(error, i == 0 ? "" : words[i + 1] == NULL ? " or " : ", ");
                text_put_string(error, words[i]);
        }
        return false;
}

/* ---- all ----------------------------------------------------------------------------------------------- */

/* An empty path stays empty. */
static bool text_set(const struct option_row *row, struct span text, const char **field, struct arena *memory,
                     const char *directory, struct text *error)
{
        const char *copy = row->type == VALUE_PATH && text.length > 0 ? path_resolve(text, directory, memory)
                                                                      : arena_string(memory, text);
        if (copy == NULL)
                text_put_string(error, "out of memory");
        else
                *field = copy;
        return copy != NULL;
}

static bool path_add(struct span text, struct text_list *list, struct arena *memory, const char *directory,
                     struct text *error)
{
        if (text.length == 0) {
                text_put_string(error, "needs names of files");
                return false;
        }
        const char *path = path_resolve(text, directory, memory);
        return path != NULL && value_append(VALUE_PATHS, span_from(path), list, memory, error);
}

bool value_set(const struct option_row *row, struct span text, void *base, struct arena *memory,
               const char *directory, struct text *ret_error)
{
        void *field = (char *)base + row->offset;
        unsigned flag;

        switch ((int)row->type) {
        case VALUE_AUTO_COUNT:
                if (span_equals(text, SPAN("auto"))) {
                        *(uint64_t *)field = OPTION_AUTO;
                        return true;
                }
                return number_set(row, text, field, ret_error);
        case VALUE_COUNT:
        case VALUE_DURATION:
        case VALUE_SIZE:
                return number_set(row, text, field, ret_error);
        case VALUE_FLAG:
                if (!word_set(text, value_words(row), &flag, ret_error))
                        return false;
                *(bool *)field = flag != 0;
                return true;
        case VALUE_TEXT:
        case VALUE_PATH:
                return text_set(row, text, field, memory, directory, ret_error);
        case VALUE_PATHS:
                return path_add(text, field, memory, directory, ret_error);
        case VALUE_NAMES:
        case VALUE_NETWORKS:
        case VALUE_ENDPOINTS:
        case VALUE_FILTERS:
        case VALUE_KEYWORDS:
                return value_append(row->type, text, field, memory, ret_error);
        case VALUE_WEIGHT:
                return weight_set(row, text, field, ret_error);
        case VALUE_RATE:
                return rate_set(row, text, field, ret_error);
        case VALUE_SHARE:
                return share_set(row, text, field, ret_error);
        default:
                return word_set(text, value_words(row), field, ret_error);
        }
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
