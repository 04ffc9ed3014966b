/* Values and their places. */
#include "workers/cli/import/rules/rules.h"

#include "workers/cli/import/cf/expand.h"
#include "workers/cli/import/cf/words.h"

#include <stdarg.h>

struct span import_value(struct import *import, const char *name)
{
        const struct cf_setting *setting = cf_find(&import->cf, name);
        struct cf_fault fault;
        struct span value;

        if (cf_value(&import->cf, name, &value, &fault))
                return value;
        if (!import->has_fault) {
                import->has_fault = true;
                import->fault = fault;
                import->fault_file = setting != NULL ? setting->file : import->cf.file;
        }
        return span_of("", 0);
}

bool import_list_has(struct import *import, const char *setting, struct span word)
{
        struct span value = import_value(import, setting), other;

        while ((other = cf_take_word(&value)).length > 0)
                if (span_equals(other, word))
                        return true;
        return false;
}

bool import_is_set(const struct import *import, const char *name)
{
        return cf_find(&import->cf, name) != NULL;
}

struct span import_place(struct import *import, const char *name, struct span word)
{
        const struct cf_setting *setting = cf_find(&import->cf, name);

        if (setting == NULL)
                return SPAN("default");
        return keep_format(import->keep, "%s:%u", setting->file, cf_line_of(setting, word));
}

struct span import_word_origin(struct import *import, const char *name, struct span word)
{
        if (!import_is_set(import, name))
                return keep_format(import->keep, "Postfix's default of %s", name);
        struct span place = import_place(import, name, word);
        return keep_format(import->keep, "%.*s %.*s", SPAN_ARG(place),
                           SPAN_ARG(word.length > 0 ? word : span_from(name)));
}

struct span import_origin(struct import *import, const char *name)
{
        return import_word_origin(import, name, span_of("", 0));
}

static bool is_chrooted(struct import *import, const struct cf_service *service)
{
        struct span level = import_value(import, "compatibility_level");

        if (service == NULL || service->chroot != '-')
                return service != NULL && service->chroot == 'y';
        return level.length == 0 || level.at[0] == '0';
}

struct span import_socket(struct import *import, const struct cf_service *service, struct span path)
{
        bool is_absolute = path.length > 0 && path.at[0] == '/';

        if (is_absolute && !is_chrooted(import, service))
                return path;
        return keep_format(import->keep, is_absolute ? "%.*s%.*s" : "%.*s/%.*s",
                           SPAN_ARG(import_value(import, "queue_directory")), SPAN_ARG(path));
}

struct import_file *import_file(struct import *import, struct span name)
{
        for (struct import_file *file = import->files; file != NULL; file = file->next)
                if (span_equals(file->name, name))
                        return file;
        struct import_file *file = keep_take(import->keep, sizeof *file);
        file->name = keep_span(import->keep, name);
        file->end = &file->first;
        *import->files_end = file;
        import->files_end = &file->next;
        return file;
}

void import_line(struct import *import, struct import_file *file, struct span text)
{
        struct import_line *line = keep_take(import->keep, sizeof *line);

        line->text = keep_span(import->keep, text);
        *file->end = line;
        file->end = &line->next;
        file->count++;
}

void import_todo(struct import *import, const char *format, ...)
{
        char text[1024];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text, sizeof text, format, arguments);
        va_end(arguments);
        report_note(&import->report, &import->report.todo, span_from(text));
}

void import_table_read(struct import *import, struct span word, struct cf_table *ret_table)
{
        cf_table_read(import->keep, &import->place, word, ret_table);
}
