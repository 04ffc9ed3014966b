/* Makes a man page of its prose: a line "{{NAME}}" gives way to a table of the program, and so the page cannot differ
 * from it. The build runs it; it is not installed. With a second argument "{{usage}}" is the text of that file. */
#include "workers/manual/help.h"
#include "workers/manual/options.h"
#include "workers/manual/tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SIZE  1024
#define USAGE_SIZE 16384
#define OPTIONS    "options "

static bool write_usage(FILE *out, const char *path)
{
        FILE *file = path == NULL ? NULL : fopen(path, "re");
        char *text = calloc(1, USAGE_SIZE);
        bool is_read = file != NULL && text != NULL && fread(text, 1, USAGE_SIZE - 1, file) > 0;

        if (is_read)
                help_write(out, text);
        free(text);
        return file != NULL && fclose(file) == 0 && is_read;
}

/* False when there is no such table. */
static bool write_table(FILE *out, struct span name, const char *usage)
{
        static const struct {
                const char *name;
                void (*write)(FILE *file);
        } tables[] = {
            {"subcommands", tables_write_subcommands},
            {"checks", tables_write_checks},
            {"check sections", tables_write_check_sections},
            {"replies", tables_write_replies},
            {"metrics", tables_write_metrics},
            {"old names", options_write_old},
        };

        if (span_equals(name, SPAN("usage")))
                return write_usage(out, usage);
        if (span_starts_nocase(name, SPAN(OPTIONS)))
                return options_write(out, span_skip(name, strlen(OPTIONS)));
        for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
                if (span_equals(name, span_from(tables[i].name))) {
                        tables[i].write(out);
                        return true;
                }
        return false;
}

/* Whether the line is "{{NAME}}" and nothing else. */
static bool names_table(struct span line, struct span *ret_name)
{
        if (line.length < 5 || memcmp(line.at, "{{", 2) != 0 ||
            memcmp(line.at + line.length - 2, "}}", 2) != 0)
                return false;
        *ret_name = span_of(line.at + 2, line.length - 4);
        return true;
}

int main(int argc, char **argv)
{
        FILE *page = argc > 1 ? fopen(argv[1], "re") : NULL;
        char line[LINE_SIZE];
        struct span name;

        if (page == NULL) {
                fprintf(stderr, "usage: gatepost-manual PAGE [USAGE]\n");
                return 2;
        }
        while (fgets(line, sizeof line, page) != NULL) {
                if (!names_table(span_of(line, strcspn(line, "\n")), &name)) {
                        fputs(line, stdout);
                } else if (!write_table(stdout, name, argv[2])) {
                        fprintf(stderr, "%s: no table %.*s\n", argv[1], (int)name.length, name.at);
                        return 1;
                }
        }
        return fclose(page) != 0 || fflush(stdout) != 0;
}
