/* Logical lines, and the settings in them. */
#include "workers/cli/import/cf/main_cf.h"

#include "workers/cli/import/cf/words.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
        const char *name, *value;
} defaults[] = {
#define DEFAULT(name, value) {#name, value},
#include "workers/cli/import/cf/defaults.def"
};

bool cf_say(struct cf_fault *fault, uint32_t line, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(fault->message, sizeof fault->message, format, arguments);
        va_end(arguments);
        fault->line = line;
        return false;
}

void cf_init(struct cf *cf, struct keep *keep, const char *file, struct span host)
{
        *cf = (struct cf){.keep = keep, .file = file, .host = host};
        cf->end = &cf->first;
}

/* ---- logical lines ------------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A line of the file, with its end. */
static struct span physical_line(struct span rest)
{
        size_t end = span_find(rest, '\n');
        return end == SIZE_MAX ? rest : span_of(rest.at, end + 1);
}

static bool is_no_text(struct span line)
{
        struct span text = cf_trim(line);
        return text.length == 0 || text.at[0] == '#';
}

static bool has_control(struct span line)
{
        for (size_t i = 0; i < line.length; i++)
                if (ascii_is_control(line.at[i]) && !is_blank(line.at[i]))
                        return true;
        return false;
}

static void append(struct text *text, struct span line)
{
        if (is_no_text(line))
                text_put_char(text, '\n');
        else
                text_put(text, line);
}

bool cf_take_line(struct keep *keep, struct span *rest, uint32_t *next_line, struct span *ret_text,
                  uint32_t *ret_line, struct cf_fault *ret_fault)
{
        struct text text;
        struct span line;

        *ret_text = span_of("", 0);
        while (rest->length > 0 && is_no_text(line = physical_line(*rest))) {
                *rest = span_skip(*rest, line.length);
                (*next_line)++;
        }
        if (rest->length == 0)
                return true;
        if (is_blank(rest->at[0]))
                return cf_say(ret_fault, *next_line, "the first line begins with a blank");
        *ret_line = *next_line;
        struct span whole = *rest;
        do {
                line = physical_line(*rest);
                if (!is_no_text(line) && has_control(line))
                        return cf_say(ret_fault, *next_line,
                                      "a control character: this is no text of Postfix");
                *rest = span_skip(*rest, line.length);
                (*next_line)++;
        } while (rest->length > 0 && (is_blank(rest->at[0]) || is_no_text(physical_line(*rest))));
        whole.length -= rest->length;
        text_over(&text, keep_take(keep, whole.length + 1), whole.length);
        for (; whole.length > 0; whole = span_skip(whole, line.length))
                append(&text, line = physical_line(whole));
        *ret_text = cf_trim(text_span(&text));
        return true;
}

/* ---- settings ------------------------------------------------------------------------------------------ */

static bool is_name(struct span name)
{
        for (size_t i = 0; i < name.length; i++)
                if (!ascii_is_alnum(name.at[i]) && span_find(SPAN("_-.:/[]"), name.at[i]) == SIZE_MAX)
                        return false;
        return name.length > 0;
}

struct cf_setting *cf_find_span(const struct cf *cf, struct span name)
{
        for (struct cf_setting *setting = cf->first; setting != NULL; setting = setting->next)
                if (!setting->is_overruled && span_equals(setting->name, name))
                        return setting;
        return NULL;
}

const struct cf_setting *cf_find(const struct cf *cf, const char *name)
{
        return cf_find_span(cf, span_from(name));
}

struct cf_setting *cf_set(struct cf *cf, struct span name, struct span value, const char *file, uint32_t line)
{
        struct cf_setting *before = cf_find_span(cf, name), *setting = keep_take(cf->keep, sizeof *setting);

        if (before != NULL)
                before->is_overruled = true;
        setting->name = keep_span(cf->keep, name);
        setting->value = keep_span(cf->keep, value);
        setting->file = file;
        setting->line = line;
        *cf->end = setting;
        cf->end = &setting->next;
        cf->count++;
        return setting;
}

bool cf_read(struct cf *cf, struct span text, struct cf_fault *ret_fault)
{
        uint32_t next_line = 1, line = 0;
        struct span whole;

        if (text.length > CF_SIZE_MAX)
                return cf_say(ret_fault, 0, "more than %zu octets: this is no main.cf", CF_SIZE_MAX);
        text = span_without_mark(text);
        for (;;) {
                if (!cf_take_line(cf->keep, &text, &next_line, &whole, &line, ret_fault))
                        return false;
                if (whole.length == 0)
                        break;
                size_t equals = span_find(whole, '=');
                struct span name = cf_trim(span_of(whole.at, equals == SIZE_MAX ? 0 : equals));
                if (!is_name(name))
                        return cf_say(ret_fault, line, "no NAME = VALUE: this is no main.cf");
                if (cf->count == CF_SETTINGS_MAX)
                        return cf_say(ret_fault, line, "more than %d settings", CF_SETTINGS_MAX);
                cf_set(cf, name, cf_trim(span_skip(whole, equals + 1)), cf->file, line);
        }
        return cf->count > 0 || cf_say(ret_fault, 0, "there is no setting in it");
}

struct span cf_default(const struct cf *cf, struct span name)
{
        if (span_equals(name, SPAN("myhostname")))
                return cf->host;
        for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++)
                if (span_equals(name, span_from(defaults[i].name)))
                        return span_from(defaults[i].value);
        return span_of("", 0);
}

static bool is_word_end(struct span value, size_t at)
{
        return at >= value.length || is_blank(value.at[at]) ||
               span_find(SPAN(",{}"), value.at[at]) != SIZE_MAX;
}

uint32_t cf_line_of(const struct cf_setting *setting, struct span word)
{
        uint32_t line = setting->line;

        for (size_t i = 0; word.length > 0 && i + word.length <= setting->value.length; i++) {
                if (memcmp(setting->value.at + i, word.at, word.length) == 0 &&
                    (i == 0 || is_word_end(setting->value, i - 1)) &&
                    is_word_end(setting->value, i + word.length))
                        return line;
                line += setting->value.at[i] == '\n';
        }
        return setting->line;
}
