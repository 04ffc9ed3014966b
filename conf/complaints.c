/* The list of what is wrong with a configuration. */
#include "conf/complaints.h"

#include <stdarg.h>
#include <stdlib.h>

static void append(struct conf_report *report, struct span line)
{
        char *text = realloc(report->text, report->length + line.length + 1);
        if (text == NULL)
                return;
        memcpy(text + report->length, line.at, line.length);
        report->text = text;
        report->length += line.length;
        text[report->length] = '\0';
}

void conf_report_add(struct conf_report *report, enum report_kind kind, const struct place *place,
                     const char *format, ...)
{
        char message[2048], octets[8192];
        struct text line;
        va_list arguments;

        text_over(&line, octets, sizeof octets - 1);
        if (place->file != NULL && place->line > 0)
                text_printf(&line, "%.900s:%u: ", place->file, place->line);
        else if (place->file != NULL)
                text_printf(&line, "%.900s: ", place->file);
        text_put_string(&line, kind == REPORT_ERROR ? "error: " : "warning: ");
        va_start(arguments, format);
        vsnprintf(message, sizeof message, format, arguments);
        va_end(arguments);
        text_put_printable(&line, span_from(message), true);
        octets[line.length++] = '\n';
        append(report, text_span(&line));
        *(kind == REPORT_ERROR ? &report->errors : &report->warnings) += 1;
}

void conf_report_end(struct conf_report *report)
{
        free(report->text);
        *report = (struct conf_report){0};
}
