/* Sums of all counters as one line on stdout: in place on a terminal, else only when something has
 * changed. */
#include "workers/server/status_line.h"

#include "workers/log/console.h"

#include <unistd.h>

#define TOP_CHECKS 3

enum { OPEN, ACCEPTED, REFUSED, DEFERRED, RUNG, NUMBERS };

/* The same that put_top_checks() divides. */
static uint64_t refusals_of_checks(const struct counters *counters)
{
        uint64_t sum = 0;
        for (int check = 0; check < CHECK_COUNT; check++)
                sum += counter_read(&counters->refused[check]);
        return sum;
}

/* The checks that refused most, most first. */
static void put_top_checks(const struct counters *counters, struct text *line)
{
        uint64_t refused[CHECK_COUNT];

        for (int check = 0; check < CHECK_COUNT; check++)
                refused[check] = counter_read(&counters->refused[check]);
        for (int place = 0; place < TOP_CHECKS; place++) {
                int top = 0;
                for (int check = 1; check < CHECK_COUNT; check++)
                        if (refused[check] > refused[top])
                                top = check;
                if (refused[top] == 0)
                        break;
                text_printf(line, "%s%s %llu", place == 0 ? "  top: " : ", ", check_infos[top].name,
                            (unsigned long long)refused[top]);
                refused[top] = 0;
        }
}

void status_line_begin(struct status_line *status)
{
        *status = (struct status_line){.is_terminal = isatty(STDOUT_FILENO)};
}

void status_line_print(struct status_line *status, const struct counters_list *list, uint64_t open,
                       enum rung rung)
{
        static const char *const names[RUNG] = {"open", "accepted", "refused", "deferred"};
        struct counters counters;

        counters_sum(list, &counters);
        const uint64_t numbers[NUMBERS] = {
            [OPEN] = open,
            [RUNG] = rung,
            [ACCEPTED] = counter_read(&counters.metrics[METRIC_messages_accepted]),
            [REFUSED] = refusals_of_checks(&counters),
            [DEFERRED] = counter_read(&counters.metrics[METRIC_recipients_deferred]) +
                         counter_read(&counters.metrics[METRIC_messages_deferred]) +
                         counter_read(&counters.metrics[METRIC_connections_refused]) +
                         counter_read(&counters.metrics[METRIC_clients_unserved]),
        };
        char octets[512];
        struct text line;

        if (!status->is_terminal && status->has_line && memcmp(numbers, status->said, sizeof numbers) == 0)
                return;
        text_over(&line, octets, sizeof octets);
        if (status->is_terminal)
                text_put(&line, SPAN("\r\033[K"));
        for (int i = 0; i < RUNG; i++) {
                text_printf(&line, "%s%s %llu", i == 0 ? "" : "  ", names[i], (unsigned long long)numbers[i]);
                /* Lines of a file are not a second apart. */
                if (i != OPEN && status->is_terminal)
                        text_printf(&line, " (%llu/s)", (unsigned long long)(numbers[i] - status->said[i]));
        }
        if (rung != RUNG_ease)
                text_printf(&line, "  load: %s", rung_names[rung]);
        put_top_checks(&counters, &line);
        if (!status->is_terminal)
                text_put_char(&line, '\n');
        if (!console_write(STDOUT_FILENO, text_span(&line)))
                return;
        memcpy(status->said, numbers, sizeof numbers);
        status->has_line = true;
}

void status_line_end(struct status_line *status)
{
        if (status->is_terminal && status->has_line)
                console_write(STDOUT_FILENO, SPAN("\n"));
}
