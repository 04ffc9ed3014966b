/* The list of what is wrong with a configuration. */
#include "conf/complaints.h"

#include <stdio.h>
#include <stdarg.h>
#include <stdlib.h>

static void append(struct conf_complaints *complaints, struct span line)
{
        char *text = realloc(complaints->text, complaints->length + line.length + 1);
        if (text == NULL)
                return;
        memcpy(text + complaints->length, line.at, line.length);
        complaints->text = text;
        complaints->length += line.length;
        text[complaints->length] = '\0';
}

void conf_complain(struct conf_complaints *complaints, enum complaint_kind kind, const struct place *place,
                   const char *format, ...)
{
        static const char *const kinds[] = {
            [COMPLAINT_ERROR] = "error: ", [COMPLAINT_WARNING] = "warning: ", [COMPLAINT_NOTE] = "note: "};
        char message[2048], octets[8192];
        struct text line;
        va_list arguments;

        text_over(&line, octets, sizeof octets - 1);
        if (place->file != NULL && place->line > 0)
                text_printf(&line, "%.900s:%u: ", place->file, place->line);
        else if (place->file != NULL)
                text_printf(&line, "%.900s: ", place->file);
        text_put_string(&line, kinds[kind]);
        va_start(arguments, format);
        vsnprintf(message, sizeof message, format, arguments);
        va_end(arguments);
        text_put_printable(&line, span_from(message), true);
        octets[line.length++] = '\n';
        append(complaints, text_span(&line));
        complaints->errors += kind == COMPLAINT_ERROR;
        complaints->warnings += kind == COMPLAINT_WARNING;
}

struct span conf_complaints_first_error(const struct conf_complaints *complaints)
{
        struct span rest = span_of(complaints->text, complaints->text == NULL ? 0 : complaints->length);

        while (rest.length > 0) {
                size_t end = span_find(rest, '\n'); /* each line has one */
                struct span line = span_of(rest.at, end);
                if (memmem(line.at, line.length, "error: ", strlen("error: ")) != NULL)
                        return line;
                rest = span_skip(rest, end + 1);
        }
        return SPAN("");
}

void conf_complaints_end(struct conf_complaints *complaints)
{
        free(complaints->text);
        *complaints = (struct conf_complaints){0};
}
