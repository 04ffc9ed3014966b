/* The rows of options.def, and how their values are read from text. Beside conf/, those include this who tell of
 * options row by row, and who read or write durations as the configuration has them. */
#pragma once

#include "conf/snapshot.h"
#include "conf/value/path.h"

enum value_type {
        VALUE_COUNT,
        VALUE_AUTO_COUNT,
        VALUE_DURATION,
        VALUE_SIZE,
        VALUE_FLAG,
        VALUE_TEXT,
        VALUE_PATH,
        VALUE_PATHS,
        VALUE_NAMES,
        VALUE_NETWORKS,
        VALUE_ENDPOINTS,
        VALUE_MOMENT,
        VALUE_NEWLINE,
        VALUE_CASING,
        VALUE_DOOR,
        VALUE_MODE,
        VALUE_ACTION,
        VALUE_EXCHANGE,
        VALUE_FORMAT,
        VALUE_FALLBACK,
        VALUE_REPAIR,
        VALUE_SANDBOX,
        VALUE_STARTTLS,
        VALUE_KEYWORDS,
        VALUE_VERSION,
        VALUE_WISH,
        VALUE_LANGUAGE,
        VALUE_ADDRESSES,
        VALUE_ASKED,
        VALUE_NAMING,
        VALUE_SECURING,
        VALUE_JOURNAL,
        VALUE_FIELD,
        VALUE_DELIVERED,
        VALUE_LEAVING,
        VALUE_QUARANTINE,
        VALUE_WEIGHT,
        VALUE_RATE,
        VALUE_SHARE,
        VALUE_FILTERS,
        VALUE_TYPES
};

struct option_row {
        const char *name, *default_text, *help;
        int64_t min, max;
        size_t offset; /* of the field in struct options, or in that of the rows, such as domain_options */
        enum value_type type;
        enum check_id check; /* whose section it stands in; CHECK_COUNT: none; or a SECTION_ */
};

/* In place of a check: sections that are no check's. */
#define SECTION_TLS  ((enum check_id)(CHECK_COUNT + 1))
#define SECTION_PAGE ((enum check_id)(CHECK_COUNT + 2))
#define SECTION_HTTP ((enum check_id)(CHECK_COUNT + 3))
#define SECTION_HOPS ((enum check_id)(CHECK_COUNT + 4))

/* The number of each row, such as OPTION_AT_hostname, OPTION_AT_sender_tld_list or
 * DOMAIN_OPTION_AT_deliver. */
enum option_at {
#define OPTION(name, type, ...)              OPTION_AT_##name,
#define CHECK_OPTION(check, name, type, ...) OPTION_AT_##check##_##name,
#define TLS_OPTION(name, type, ...)          OPTION_AT_tls_##name,
#define HTTP_OPTION(name, type, ...)         OPTION_AT_http_##name,
#define PAGE_OPTION(name, type, ...)         OPTION_AT_policy_page_##name,
#define HOPS_OPTION(name, type, ...)         OPTION_AT_next_hops_##name,
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

enum milter_option_at {
#define FILTER_OPTION(name, type, ...) MILTER_OPTION_AT_##name,
#define MILTER_OPTION(name, type, ...) MILTER_OPTION_AT_##name,
#include "conf/options.def"
        MILTER_OPTION_AT_END
};

enum service_option_at {
#define FILTER_OPTION(name, type, ...)  SERVICE_OPTION_AT_##name,
#define SERVICE_OPTION(name, type, ...) SERVICE_OPTION_AT_##name,
#include "conf/options.def"
        SERVICE_OPTION_AT_END
};

enum terms_option_at {
#define TERMS_OPTION(name, type, ...) TERMS_OPTION_AT_##name,
#include "conf/options.def"
        TERMS_OPTION_AT_END
};

/* Each of these ends with a row that has no name. */
extern const struct option_row option_rows[OPTION_AT_END + 1];
extern const struct option_row domain_option_rows[DOMAIN_OPTION_AT_END + 1];
extern const struct option_row zone_option_rows[ZONE_OPTION_AT_END + 1];
extern const struct option_row milter_option_rows[MILTER_OPTION_AT_END + 1];
extern const struct option_row service_option_rows[SERVICE_OPTION_AT_END + 1];
extern const struct option_row terms_option_rows[TERMS_OPTION_AT_END + 1];

/* Those of a section of this kind, in struct filter_options. */
static inline const struct option_row *filter_option_rows(enum filter_kind kind)
{
        return kind == FILTER_MILTER ? milter_option_rows : service_option_rows;
}
/* "milter" or "policy_service", as such a section begins. */
extern const char *const filter_kind_names[];

/* The zone of dnsbl when the configuration has none. The texts are of the same kinds as those of the rows. */
#define DEFAULT_ZONE         "zen.spamhaus.org"
#define DEFAULT_ZONE_ANSWERS "127.0.0.[2..11]"
#define DEFAULT_ZONE_DYNAMIC "127.0.0.[10..11]"

/* The former names of options of the top level. The table ends with a row that has no name. */
struct old_option_name {
        const char *old, *name;
};
extern const struct old_option_name old_option_names[];

/* Returns the name that an option of the top level has today. */
const char *option_name_today(const char *name);

/* Returns NULL when there is none. `check` is CHECK_COUNT for options outside of checks' sections. */
const struct option_row *option_row_find(const struct option_row *rows, enum check_id check,
                                         const char *name);

/* Beside its mode. */
bool check_has_options(enum check_id check);

/* Sets the field of `row` in the structure at `base` to its default. False when memory is out. */
bool value_set_default(const struct option_row *row, void *base, struct arena *memory);
/* Sets the field from text, or appends one item to a list. Relative paths begin in `directory`. On failure
 * the field is as before, and the reason is in *ret_error. */
bool value_set(const struct option_row *row, struct span text, void *base, struct arena *memory,
               const char *directory, struct text *ret_error);
/* Returns the words that the configuration may have, and behind them NULL; or NULL when the type of the row has
 * none. */
const char *const *value_words(const struct option_row *row);
/* Returns the word that the configuration has for the value in the structure at `base`, or NULL when the type of
 * the row has no words. */
const char *value_word(const struct option_row *row, const void *base);
/* Appends the number with its unit, as the configuration has it. */
void value_write_number(struct text *text, const struct option_row *row, uint64_t number);
/* Reads "250ms", "10s", "5m", "2h" or "1d". */
bool duration_parse(struct span text, uint64_t *ret_ms);
/* "5m", as the configuration has it. */
void duration_write(struct text *text, uint64_t ms);

/* Reads "off", "observe" or "enforce". */
bool check_mode_parse(struct span text, enum check_mode *ret_mode);
