/* libConfuse at work: its callbacks write down what they see. Where it stops at an unknown key, or at a section
 * that is given a value, that key is blanked and the parser begins again, so that one run tells of all errors. */
#include "conf/text/parse.h"

#include "conf/text/grammar.h"
#include "conf/text/wrong_key.h"
#include "conf/value/value.h"
#include "core/base/address_sanitizer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define WRONG_KEYS_MAX    50
#define INCLUDE_DEPTH_MAX 10
#define INCLUDES_MAX      1000 /* of all files: they may fan out */

/* A key that its section has; a second one is an error. */
struct seen_key {
        struct seen_key *next;
        const char *key;
        struct place place;
};

struct parser {
        /* Fixed. */
        struct arena *scratch, *names;
        const char *directory;
        cfg_opt_t *grammar;

        /* Kept from run to run. */
        struct source *sources;
        struct wrong_key *wrong_first, *wrong_last;
        size_t wrong_count;
        bool out_of_memory;

        /* Of one run. */
        struct settings settings;
        size_t recorded;
        const struct wrong_key *wrong_next;
        struct scope *scope;
        size_t include_depth, includes;
        bool stop_is_told, run_again;
};

/* libConfuse's error function has no argument of ours, and its scanner is global: one parser at a time. */
static struct parser *reading;

static void *take(size_t size)
{
        void *piece = arena_take(reading->scratch, size);
        if (piece == NULL)
                reading->out_of_memory = true;
        else
                memset(piece, 0, size);
        return piece;
}

static const char *copy(const char *string)
{
        size_t size = strlen(string) + 1;
        char *piece = take(size);
        return piece == NULL ? NULL : memcpy(piece, string, size);
}

static struct place place_of(const cfg_t *cfg)
{
        const struct source *source =
            cfg->filename == NULL ? NULL : source_find(reading->sources, cfg->filename);
        return (struct place){source == NULL ? NULL : source->name, (uint32_t)cfg->line};
}

/* ---- writing down -------------------------------------------------------------------------------------- */

static void append(struct setting *setting)
{
        if (reading->settings.last == NULL)
                reading->settings.first = setting;
        else
                reading->settings.last->next = setting;
        reading->settings.last = setting;
}

/* Tells of the wrong keys that stand before the next setting. */
static bool append_wrong_keys(void)
{
        for (; reading->wrong_next != NULL && reading->wrong_next->position <= reading->recorded;
             reading->wrong_next = reading->wrong_next->next) {
                struct setting *setting = take(sizeof *setting);
                if (setting == NULL)
                        return false;
                setting->kind = SETTING_PROBLEM;
                setting->text = reading->wrong_next->message;
                setting->place = reading->wrong_next->place;
                append(setting);
        }
        return true;
}

/* Copies both strings, which may be NULL. NULL when memory ran out. */
static struct setting *record(enum setting_kind kind, struct place place, const char *key, const char *text)
{
        if (reading->out_of_memory || !append_wrong_keys())
                return NULL;
        struct setting *setting = take(sizeof *setting);
        const char *key_copy = key == NULL ? NULL : copy(key), *text_copy = text == NULL ? NULL : copy(text);
        if (reading->out_of_memory)
                return NULL;
        *setting = (struct setting){
            .kind = kind, .scope = reading->scope, .key = key_copy, .text = text_copy, .place = place};
        append(setting);
        reading->recorded++;
        return setting;
}

/* A second `key` in `scope` is a problem. */
static void note_key(struct scope *scope, const char *key, struct place place)
{
        char message[512];
        struct seen_key *seen = scope->seen;

        while (seen != NULL && strcmp(seen->key, key) != 0)
                seen = seen->next;
        if (seen != NULL) {
                snprintf(message, sizeof message, "%.100s is given twice, first in %.300s:%u", key,
                         seen->place.file, seen->place.line);
                record(SETTING_PROBLEM, place, NULL, message);
                return;
        }
        seen = take(sizeof *seen);
        const char *key_copy = copy(key);
        if (reading->out_of_memory)
                return;
        *seen = (struct seen_key){.next = scope->seen, .key = key_copy, .place = place};
        scope->seen = seen;
}

/* ---- callbacks ----------------------------------------------------------------------------------------- */

/* An old name is read as the new one. */
static const char *key_of(const cfg_opt_t *option)
{
        return reading->scope->kind == SCOPE_ROOT ? option_name_today(option->name) : option->name;
}

static int capture_empty_list(const cfg_t *cfg, const cfg_opt_t *option)
{
        bool is_list = (option->flags & CFGF_LIST) != 0;
        char message[160];

        snprintf(message, sizeof message, "%.100s takes one value, not a list", key_of(option));
        const struct setting *setting = is_list
                                            ? record(SETTING_EMPTY_LIST, place_of(cfg), key_of(option), NULL)
                                            : record(SETTING_PROBLEM, place_of(cfg), NULL, message);
        return setting == NULL ? -1 : 0;
}

static int capture_value(cfg_t *cfg, cfg_opt_t *option, const char *value, void *result)
{
        *(void **)result = NULL;
        bool continues_list = option->nvalues > 1;
        if (!continues_list)
                note_key(reading->scope, key_of(option), place_of(cfg));
        if (strcmp(value, SOURCE_EMPTY_LIST) == 0)
                return capture_empty_list(cfg, option);
        struct setting *setting = record(SETTING_VALUE, place_of(cfg), key_of(option), value);
        if (setting == NULL)
                return -1;
        setting->continues_list = continues_list;
        return 0;
}

/* Must not fail: the library ends the program when a default is refused. */
static int capture_open(cfg_t *cfg, cfg_opt_t *option, const char *value, void *result)
{
        struct scope *scope = take(sizeof *scope);

        (void)option;
        (void)value;
        *(void **)result = NULL;
        if (scope == NULL)
                return 0;
        scope->kind = grammar_scope_kind(cfg->name);
        scope->check = check_by_name(span_from(cfg->name));
        scope->title = cfg->title == NULL ? NULL : copy(cfg->title);
        scope->parent = reading->scope;
        if (cfg->title == NULL)
                note_key(reading->scope, cfg->name, place_of(cfg));
        reading->scope = scope;
        record(SETTING_SECTION, place_of(cfg), cfg->name, NULL);
        return 0;
}

static int capture_close(cfg_t *cfg, cfg_opt_t *option)
{
        (void)cfg;
        if (reading->out_of_memory)
                return -1;
        reading->scope = reading->scope->parent;
        /* It is written down. Kept, the library would compare each new title with all before, and take
         * "section|key" for a key in a section that stands elsewhere. */
        cfg_free_value(option);
        return 0;
}

static void capture_wrong_key(const cfg_t *cfg, const char *key, bool is_section)
{
        struct source *source = source_find(reading->sources, cfg->filename);
        struct wrong_key *wrong = take(sizeof *wrong);

        if (wrong == NULL)
                return;
        *wrong = (struct wrong_key){
            .position = reading->recorded, .is_section = is_section, .place = place_of(cfg)};
        bool is_blanked = wrong_key_blank(wrong, key, cfg, reading->scope, source, reading->scratch);
        if (wrong->message == NULL)
                reading->out_of_memory = true;
        if (reading->wrong_last == NULL)
                reading->wrong_first = wrong;
        else
                reading->wrong_last->next = wrong;
        reading->wrong_last = wrong;
        if (reading->wrong_next == NULL)
                reading->wrong_next = wrong;
        reading->run_again = ++reading->wrong_count < WRONG_KEYS_MAX && is_blanked;
}

/* The formats are the library's own: this program sets no locale, so nothing is translated. */
__attribute__((format(printf, 2, 0))) static void capture_error(cfg_t *cfg, const char *format,
                                                                va_list arguments)
{
        char message[512];

        reading->stop_is_told = true;
        if (strcmp(format, "no such option '%s'") == 0) {
                capture_wrong_key(cfg, va_arg(arguments, const char *), false);
        } else if (strcmp(format, "missing opening brace for section '%s'") == 0 ||
                   strcmp(format, "missing title for section '%s'") == 0) {
                capture_wrong_key(cfg, va_arg(arguments, const char *), true);
        } else {
                vsnprintf(message, sizeof message, format, arguments);
                record(SETTING_PROBLEM, place_of(cfg), NULL, message);
        }
}

/* ---- files --------------------------------------------------------------------------------------------- */

/* libConfuse's own include forgets to unwind after an error: after ten of them no file could be included any
 * more. */
static bool parse_source(cfg_t *cfg, struct source *source)
{
        char *outer_name = cfg->filename;
        int outer_line = cfg->line;

        if (source->length == 0)
                return true;
        FILE *file = fmemopen(source->octets, source->length, "r");
        cfg->filename = strdup(source->name);
        if (file == NULL || cfg->filename == NULL)
                reading->out_of_memory = true;
        source->is_open = true;
        errno = 0;
        bool success = !reading->out_of_memory && cfg_parse_fp(cfg, file) == CFG_SUCCESS;
        if (!success && errno == ENOMEM)
                reading->out_of_memory = true;
        source->is_open = false;
        if (!success && !reading->stop_is_told && !reading->out_of_memory) {
                record(SETTING_PROBLEM, place_of(cfg), NULL, "syntax error");
                reading->stop_is_told = true;
        }
        if (file != NULL)
                fclose(file);
        free(cfg->filename);
        cfg->filename = outer_name;
        cfg->line = outer_line;
        return success;
}

/* NULL, and a problem written down, when it cannot be used. */
static struct source *source_open(const cfg_t *cfg, const char *path)
{
        struct source *source = source_find(reading->sources, path), read = {0};
        struct source_fault fault;
        char message[1024];

        if (source != NULL)
                return source;
        bool is_read = source_read(&read, path, &fault);
        if (!is_read || !source_prepare(&read, &fault)) {
                snprintf(message, sizeof message, "%.700s: %.250s", path, fault.message);
                struct place inside = {arena_string(reading->names, span_from(path)), fault.line};
                if (fault.line == 0)
                        record(SETTING_PROBLEM, place_of(cfg), NULL, message);
                else
                        record(SETTING_PROBLEM, inside, NULL, fault.message);
                if (is_read)
                        free(read.octets);
                return NULL;
        }
        struct source *same = source_find_same(reading->sources, &read);
        if (same != NULL) { /* by another name */
                free(read.octets);
                return same;
        }
        source = take(sizeof *source);
        read.name = arena_string(reading->names, span_from(path));
        if (source == NULL || read.name == NULL) {
                reading->out_of_memory = true;
                free(read.octets);
                return NULL;
        }
        *source = read;
        source->next = reading->sources->next; /* behind the first, which is not ours */
        reading->sources->next = source;
        return source;
}

static int capture_include(cfg_t *cfg, cfg_opt_t *option, int count, const char **arguments)
{
        (void)option;
        if (count != 1) {
                cfg_error(cfg, "include needs one file name");
                return -1;
        }
        if (reading->include_depth == INCLUDE_DEPTH_MAX || reading->includes == INCLUDES_MAX) {
                cfg_error(cfg, "too many files included");
                return -1;
        }
        const char *path = path_resolve(span_from(arguments[0]), reading->directory, reading->scratch);
        if (path == NULL) {
                reading->out_of_memory = true;
                return -1;
        }
        reading->includes++;
        struct source *source = source_open(cfg, path);
        if (source == NULL) /* told of; go on, there may be more to tell */
                return reading->out_of_memory ? -1 : 0;
        if (source->is_open) {
                cfg_error(cfg, "%s: includes itself", path);
                return -1;
        }
        reading->include_depth++;
        bool success = parse_source(cfg, source);
        reading->include_depth--;
        return success ? 0 : -1;
}

/* ---- runs ---------------------------------------------------------------------------------------------- */

static void run_parser(void)
{
        reading->settings = (struct settings){0};
        reading->recorded = reading->include_depth = reading->includes = 0;
        reading->wrong_next = reading->wrong_first;
        reading->stop_is_told = reading->run_again = false;
        reading->scope = take(sizeof *reading->scope); /* SCOPE_ROOT */
        cfg_t *cfg = reading->scope == NULL ? NULL : cfg_init(reading->grammar, CFGF_NONE);
        if (cfg == NULL) {
                reading->out_of_memory = true;
                return;
        }
        cfg_set_error_function(cfg, capture_error);
        reading->settings.are_complete = parse_source(cfg, reading->sources);
        reading->recorded = SIZE_MAX; /* none is left out */
        append_wrong_keys();
        /* libConfuse does not survive the end of a tree that it had no memory to finish. */
        if (reading->out_of_memory)
                octets_abandon(cfg);
        else
                cfg_free(cfg);
}

bool conf_parse(struct source *source, const char *directory, struct arena *scratch, struct arena *names,
                struct settings *ret_settings)
{
        static const struct grammar_calls calls = {capture_open, capture_close, capture_value,
                                                   capture_include};
        struct parser parser = {
            .scratch = scratch, .names = names, .directory = directory, .sources = source};

        reading = &parser;
        parser.grammar = grammar_build(&calls, scratch);
        if (parser.grammar == NULL)
                return false;
        do
                run_parser();
        while (parser.run_again && !parser.out_of_memory);
        reading = NULL;
        while (source->next != NULL) {
                struct source *included = source->next;
                source->next = included->next;
                free(included->octets);
        }
        *ret_settings = parser.settings;
        return !parser.out_of_memory;
}
