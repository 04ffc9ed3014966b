/* The rows of options.def, and their values read from text; for conf/ only. */
#pragma once

#include "conf/snapshot.h"

enum value_type {
        VALUE_COUNT,
        VALUE_DURATION,
        VALUE_SIZE,
        VALUE_FLAG,
        VALUE_TEXT,
        VALUE_PATH,
        VALUE_NAMES,
        VALUE_NETWORKS,
        VALUE_ENDPOINTS,
        VALUE_MOMENT,
        VALUE_NEWLINE,
        VALUE_CASING,
        VALUE_ACTION,
        VALUE_EXCHANGE,
        VALUE_WEIGHT,
        VALUE_RATE,
        VALUE_FILTERS
};

struct option_row {
        const char *name, *default_text, *help;
        int64_t min, max;
        size_t offset; /* of the field in struct options, domain_options or zone_options */
        enum value_type type;
        enum check_id check; /* whose section it stands in; CHECK_COUNT: none */
};

/* Where rows stand: OPTION_AT_hostname, OPTION_AT_sender_tld_list, DOMAIN_OPTION_AT_deliver. */
enum option_at {
#define OPTION(name, type, ...)              OPTION_AT_##name,
#define CHECK_OPTION(check, name, type, ...) OPTION_AT_##check##_##name,
#include "conf/options.def"
        OPTION_AT_END
};

enum domain_option_at {
#define DOMAIN_OPTION(name, type, ...) DOMAIN_OPTION_AT_##name,
#include "conf/options.def"
        DOMAIN_OPTION_AT_END
};

enum zone_option_at {
#define ZONE_OPTION(name, type, ...) ZONE_OPTION_AT_##name,
#include "conf/options.def"
        ZONE_OPTION_AT_END
};

/* All end with a row without name. */
extern const struct option_row option_rows[OPTION_AT_END + 1];
extern const struct option_row domain_option_rows[DOMAIN_OPTION_AT_END + 1];
extern const struct option_row zone_option_rows[ZONE_OPTION_AT_END + 1];

/* The zone of dnsbl when the configuration has none, with the same kinds of text as the rows. */
#define DEFAULT_ZONE         "zen.spamhaus.org"
#define DEFAULT_ZONE_ANSWERS "127.0.0.[2..11]"
#define DEFAULT_ZONE_DYNAMIC "127.0.0.[10..11]"

/* Names of options of the top level that were other ones once; ends with a row without name. */
struct old_option_name {
        const char *old, *name;
};
extern const struct old_option_name old_option_names[];

/* The name by which an option of the top level is known today. */
const char *option_name_today(const char *name);

/* NULL when there is none. `check`: CHECK_COUNT for options outside of check sections. */
const struct option_row *option_row_find(const struct option_row *rows, enum check_id check,
                                         const char *name);

/* Sets the field of `row` in the structure at `base` to its default. False when memory ran out. */
bool value_set_default(const struct option_row *row, void *base, struct arena *memory);
/* Sets the field, or appends one item to a list, from text; `directory` is where relative paths begin. On
 * failure the field is as before and the reason is in *ret_error. */
bool value_set(const struct option_row *row, struct span text, void *base, struct arena *memory,
               const char *directory, struct text *ret_error);
/* The word that the configuration has for the value in the structure at `base`; NULL when its type has none. */
const char *value_word(const struct option_row *row, const void *base);
/* With its unit, as the configuration has it. */
void value_write_number(struct text *text, const struct option_row *row, uint64_t number);
/* "250ms", "10s", "5m", "2h", "1d" */
bool duration_parse(struct span text, uint64_t *ret_ms);
/* "5m", as the configuration has it. */
void duration_write(struct text *text, uint64_t ms);

/* "off", "observe" or "enforce". */
bool check_mode_parse(struct span text, enum check_mode *ret_mode);
/* `path`, which begins in `directory` when relative, absolute and without "." and ".." components; looks at
 * no file. NULL when memory ran out. `directory` is absolute. */
const char *path_resolve(struct span path, const char *directory, struct arena *memory);
/* A terminated copy, or NULL. */
const char *arena_string(struct arena *memory, struct span text);
