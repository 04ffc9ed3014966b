/* The server's own events, while nothing takes the log's lines: they wait in bounded memory, and the log tells what it
 * lacks. */
#include "workers/log/writer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EVENTS  20000
#define OF_EACH 1000
#define MOST    (5 << 20)
#define DROPPED "\"event\":\"log_lines_dropped\",\"lines\":"

/* The log as it is written when its thread starts at last. */
static char *write_out(struct log_writer *log, FILE *file)
{
        char *octets = calloc(1, MOST + 1);

        cr_assert(log_writer_start(log));
        cr_assert(log_writer_stop(log));
        rewind(file);
        size_t length = fread(octets, 1, MOST, file);
        cr_assert_lt(length, MOST, "all of it waited");
        return octets;
}

Test(log_writer, events_that_wait_are_bounded_and_those_beyond_are_told)
{
        char value[OF_EACH + 1], *log_line;
        struct log_writer log;
        FILE *file = tmpfile();
        unsigned lines = 0, dropped = 0;

        memset(value, 'x', OF_EACH);
        value[OF_EACH] = '\0';
        cr_assert(log_writer_init(&log, log_target_of(dup(fileno(file))), 1));
        for (int i = 0; i < EVENTS; i++)
                log_event(&log, "probe", "value", value, NULL);
        char *octets = write_out(&log, file);
        for (char *rest = octets; (log_line = strsep(&rest, "\n")) != NULL && rest != NULL;) {
                const char *count = strstr(log_line, DROPPED);
                lines += strstr(log_line, "\"event\":\"probe\"") != NULL;
                if (count != NULL)
                        dropped += (unsigned)strtoul(count + strlen(DROPPED), NULL, 10);
        }
        cr_assert_gt(dropped, 0);
        cr_assert_eq(lines + dropped, EVENTS, "%u lines, %u dropped", lines, dropped);
        free(octets);
        log_writer_end(&log);
        fclose(file);
}
