/* Output that never makes the main thread wait. */
#include "workers/log/console.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#define CONSOLE_MAX 4000 /* a pipe that polls as writable takes 4096 octets whole */

bool console_write(int fd, struct span octets)
{
        struct pollfd output = {.fd = fd, .events = POLLOUT};
        size_t length = octets.length < CONSOLE_MAX ? octets.length : CONSOLE_MAX;

        return poll(&output, 1, 0) == 1 && write(fd, octets.at, length) == (ssize_t)length;
}

/* JOURNAL_STREAM has the device and the inode of the journal's stream (systemd.exec(5)): what else stderr may lead to
 * by now, such as a file, reads no priorities. */
bool console_is_journal(int fd)
{
        const char *stream = getenv("JOURNAL_STREAM");
        unsigned long long device, inode;
        struct stat status;

        return stream != NULL && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
               fstat(fd, &status) == 0 && status.st_dev == device && status.st_ino == inode;
}

static void print(int priority, const char *format, va_list values)
{
        char octets[CONSOLE_MAX];
        struct text line;

        text_over(&line, octets, sizeof octets);
        if (console_is_journal(STDERR_FILENO))
                text_printf(&line, "<%d>", priority);
        size_t room = text_room(&line) - 1;
        if (vsnprintf(octets + line.length, room, format, values) < 0)
                return;
        line.length = strnlen(octets, sizeof octets - 1);
        text_put_char(&line, '\n');
        console_write(STDERR_FILENO, text_span(&line));
}

void console_print(const char *format, ...)
{
        va_list values;

        va_start(values, format);
        print(LOG_INFO, format, values);
        va_end(values);
}

void console_warn(const char *format, ...)
{
        va_list values;

        va_start(values, format);
        print(LOG_WARNING, format, values);
        va_end(values);
}

void console_fail(const char *format, ...)
{
        va_list values;

        va_start(values, format);
        print(LOG_ERR, format, values);
        va_end(values);
}

/* ---- complaints ---------------------------------------------------------------------------------------- */

/* conf_complain() writes them behind the place. */
static int priority_of(struct span complaint)
{
        static const struct {
                const char *word;
                int priority;
        } kinds[] = {{"error: ", LOG_ERR}, {"warning: ", LOG_WARNING}};

        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
                if (memmem(complaint.at, complaint.length, kinds[i].word, strlen(kinds[i].word)) != NULL)
                        return kinds[i].priority;
        return LOG_INFO;
}

void console_complaint(struct span complaint)
{
        int length = (int)complaint.length;

        switch (priority_of(complaint)) {
        case LOG_ERR:
                console_fail("%.*s", length, complaint.at);
                break;
        case LOG_WARNING:
                console_warn("%.*s", length, complaint.at);
                break;
        default:
                console_print("%.*s", length, complaint.at);
                break;
        }
}

void console_complaints(const char *text)
{
        bool is_journal = console_is_journal(STDERR_FILENO);

        for (const char *end; text != NULL && (end = strchr(text, '\n')) != NULL; text = end + 1) {
                if (is_journal)
                        fprintf(stderr, "<%d>", priority_of(span_of(text, (size_t)(end - text))));
                fprintf(stderr, "%.*s\n", (int)(end - text), text);
        }
}
