/* Messages of wrong calls. */
#include "workers/cli/usage.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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
