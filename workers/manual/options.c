/* An entry for each option: its name, what its value looks like, its meaning, its default and its bounds. */
#include "workers/manual/options.h"

#include "conf/value/list.h"
#include "conf/value/value.h"
#include "core/base/expect.h"
#include "workers/manual/mdoc.h"

#include <inttypes.h>

#define DEFAULT_MAX 2048

/* ---- values -------------------------------------------------------------------------------------------- */

/* A type without words. */
static const char *value_look(enum value_type type)
{
        switch ((int)type) {
        case VALUE_COUNT:
                return "number";
        case VALUE_AUTO_COUNT:
                return "number or auto";
        case VALUE_DURATION:
                return "duration";
        case VALUE_SIZE:
                return "size";
        case VALUE_TEXT:
                return "text";
        case VALUE_PATH:
                return "file";
        case VALUE_PATHS:
                return "list of files";
        case VALUE_NAMES:
                return "list of names";
        case VALUE_NETWORKS:
                return "list of networks";
        case VALUE_ENDPOINTS:
                return "list of addresses";
        case VALUE_KEYWORDS:
                return "list of keywords";
        case VALUE_WEIGHT:
                return "whole number";
        case VALUE_RATE:
                return "rate or off";
        case VALUE_SHARE:
                return "share";
        case VALUE_FILTERS:
                return "list of address patterns";
        default:
                return NULL;
        }
}

static void write_head(FILE *file, const struct option_row *row)
{
        const char *const *words = value_words(row);

        fprintf(file, ".It Ic %s No = ", row->name);
        if (words == NULL) {
                const char *look = value_look(row->type);
                /* The build runs this, so a new type does not build before it is described. */
                expect(look != NULL);
                fprintf(file, "Ar %s\n", look);
                return;
        }
        for (size_t i = 0; words[i] != NULL; i++)
                fprintf(file, i == 0 ? "Cm %s" : " | %s", words[i]);
        putc('\n', file);
}

/* ---- meanings ------------------------------------------------------------------------------------------ */

static void put_bounds(struct text *text, const struct option_row *row)
{
        if (row->type == VALUE_WEIGHT)
                text_printf(text, ", from %" PRId64 " to %" PRId64, row->min, row->max);
        if (row->type != VALUE_COUNT && row->type != VALUE_AUTO_COUNT && row->type != VALUE_DURATION &&
            row->type != VALUE_SIZE)
                return;
        text_put(text, SPAN(", from "));
        value_write_number(text, row, (uint64_t)row->min);
        text_put(text, SPAN(" to "));
        value_write_number(text, row, (uint64_t)row->max);
}

static void write_meaning(FILE *file, const struct option_row *row)
{
        char octets[DEFAULT_MAX];
        struct text text;
        const char *preset = row->default_text;

        mdoc_sentence(file, row->help);
        text_over(&text, octets, sizeof octets);
        text_put_string(&text, "Default: ");
        if (value_is_list(row->type) && *preset != '\0')
                value_put_default_list(&text, preset);
        else
                text_put_string(&text, *preset != '\0'            ? preset
                                       : value_is_list(row->type) ? "an empty list"
                                                                  : "empty");
        put_bounds(&text, row);
        text_put_char(&text, '.');
        mdoc_words(file, text_span(&text));
}

static void write_rows(FILE *file, const struct option_row *rows, enum check_id check)
{
        fputs(".Bl -tag -width Ds\n", file);
        for (; rows->name != NULL; rows++) {
                if (rows->check != check)
                        continue;
                write_head(file, rows);
                write_meaning(file, rows);
        }
        fputs(".El\n", file);
}

bool options_write(FILE *file, struct span section)
{
        static const struct {
                const char *name;
                const struct option_row *rows;
                enum check_id check;
        } sections[] = {
            {"top", option_rows, CHECK_COUNT},           {"tls", option_rows, SECTION_TLS},
            {"policy_page", option_rows, SECTION_PAGE},  {"http", option_rows, SECTION_HTTP},
            {"next_hops", option_rows, SECTION_HOPS},    {"domain", domain_option_rows, CHECK_COUNT},
            {"zone", zone_option_rows, CHECK_COUNT},     {"terms", terms_option_rows, CHECK_COUNT},
            {"milter", milter_option_rows, CHECK_COUNT}, {"policy_service", service_option_rows, CHECK_COUNT},
        };
        enum check_id check = check_by_name(section);

        for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++)
                if (span_equals(section, span_from(sections[i].name))) {
                        write_rows(file, sections[i].rows, sections[i].check);
                        return true;
                }
        if (check != CHECK_COUNT && check_has_options(check))
                write_rows(file, option_rows, check);
        return check != CHECK_COUNT;
}

void options_write_old(FILE *file)
{
        fputs(".Bl -tag -width Ds -compact\n", file);
        for (const struct old_option_name *old = old_option_names; old->old != NULL; old++)
                fprintf(file, ".It Ic %s\nnow\n.Ic %s\n", old->old, old->name);
        fputs(".El\n", file);
}
