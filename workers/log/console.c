/* Lines on stderr that never make the main thread wait. */
#include "workers/log/console.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void console_print(const char *format, ...)
{
        char line[4000]; /* a pipe that polls as writable takes 4096 octets whole */
        struct pollfd output = {.fd = STDERR_FILENO, .events = POLLOUT};
        va_list values;

        va_start(values, format);
        int length = vsnprintf(line, sizeof line, format, values);
        va_end(values);
        if (length < 0 || poll(&output, 1, 0) != 1)
                return;
        dprintf(STDERR_FILENO, "%s\n", line);
}
