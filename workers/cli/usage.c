/* getopt_long(3) by tables of ours, and messages of wrong calls. */
#include "workers/cli/usage.h"

#include "core/base/expect.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define OPTIONS_MAX 8
#define FIRST_VALUE 256 /* what getopt_long() returns for the first row; beyond all letters */

int usage_fault(const char *help, const char *format, ...)
{
        const char *end = strstr(help, "\n\n");
        char message[1024];
        va_list values;

        va_start(values, format);
        vsnprintf(message, sizeof message, format, values);
        va_end(values);
        fprintf(stderr, "gatepost: %s\n%.*s\n", message, end == NULL ? (int)strlen(help) : (int)(end - help),
                help);
        return USAGE_STATUS;
}

int usage_option_fault(const char *help, int result, char **argv)
{
        const char *option = argv[optind - 1];

        return result == ':' ? usage_fault(help, "%s: %s needs a value", argv[0], option)
                             : usage_fault(help, "%s: there is no option %s", argv[0], option);
}

bool usage_read_options(const char *help, const struct usage_option *options, int words_max, int argc,
                        char **argv)
{
        struct option rows[OPTIONS_MAX + 1] = {0};
        const struct usage_option *configuration = NULL;
        int found;

        for (int i = 0; options[i].name != NULL; i++) {
                expect(i < OPTIONS_MAX);
                rows[i] = (struct option){options[i].name,
                                          options[i].ret_value == NULL ? no_argument : required_argument,
                                          NULL, FIRST_VALUE + i};
                if (strcmp(options[i].name, "config") == 0)
                        configuration = &options[i];
        }
        opterr = 0;
        while ((found = getopt_long(argc, argv, configuration == NULL ? ":" : ":c:", rows, NULL)) != -1) {
                const struct usage_option *option = found >= FIRST_VALUE ? &options[found - FIRST_VALUE]
                                                    : found == 'c'       ? configuration
                                                                         : NULL;
                if (option == NULL) {
                        usage_option_fault(help, found, argv);
                        return false;
                }
                if (option->ret_value != NULL)
                        *option->ret_value = optarg;
                else
                        *option->ret_is_given = true;
        }
        if (argc - optind <= words_max)
                return true;
        usage_fault(help, "%s: \"%s\" is not understood", argv[0], argv[optind + words_max]);
        return false;
}
