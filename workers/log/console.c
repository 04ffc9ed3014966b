/* Output that never makes the main thread wait. */
#include "workers/log/console.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CONSOLE_MAX 4000 /* a pipe that polls as writable takes 4096 octets whole */

bool console_write(int fd, struct span octets)
{
        struct pollfd output = {.fd = fd, .events = POLLOUT};
        size_t length = octets.length < CONSOLE_MAX ? octets.length : CONSOLE_MAX;

        return poll(&output, 1, 0) == 1 && write(fd, octets.at, length) == (ssize_t)length;
}

void console_print(const char *format, ...)
{
        char octets[CONSOLE_MAX];
        struct text line;
        va_list values;

        va_start(values, format);
        int length = vsnprintf(octets, sizeof octets - 1, format, values);
        va_end(values);
        if (length < 0)
                return;
        text_over(&line, octets, sizeof octets);
        line.length = strnlen(octets, sizeof octets - 1);
        text_put_char(&line, '\n');
        console_write(STDERR_FILENO, text_span(&line));
}
