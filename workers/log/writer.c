/* Writes log lines to a file or stderr, in batches, and never makes a worker wait. */
#include "workers/log/writer.h"

#include "core/base/date.h"
#include "core/base/expect.h"
#include "dns/clock.h"
#include "workers/log/console.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EVENT_MAX         32768
#define VALUE_MAX         2000
#define EVENTS_OCTETS_MAX (4 << 20) /* that wait, while the log is not written at all */
#define STOP_WAIT_MS      5000

struct log_event {
        struct log_event *next;
        size_t length;
        char octets[];
};

bool log_writer_init(struct log_writer *log, struct log_target *target, uint32_t worker_count)
{
        *log = (struct log_writer){.target = target, .worker_count = worker_count, .waker = {.event_fd = -1}};
        atomic_init(&log->next_target, NULL);
        pthread_mutex_init(&log->lock, NULL);
        log->events_end = &log->events;
        log->full = channels_create(worker_count, &log->waker);
        log->empty = calloc(worker_count, sizeof(struct channel *));
        return waker_open(&log->waker) && log->full != NULL && log->empty != NULL;
}

void log_writer_connect(struct log_writer *log, uint32_t worker, struct channel *empty)
{
        log->empty[worker] = empty;
}

void log_writer_end(struct log_writer *log)
{
        waker_close(&log->waker);
        pthread_mutex_destroy(&log->lock);
        log_target_free(log->target);
        log_target_free(atomic_load(&log->next_target));
        free(log->full);
        free(log->empty);
}

void log_writer_switch(struct log_writer *log, struct log_target *target)
{
        log_target_free(atomic_exchange(&log->next_target, target));
        waker_wake(&log->waker);
}

/* ---- events -------------------------------------------------------------------------------------------- */

static void put_time(struct text *line)
{
        int64_t now_ms = clock_wall_ms();

        date_write(line, now_ms / 1000);
        text_printf(line, ".%03dZ", (int)(now_ms % 1000));
}

static void put_value(struct text *line, const char *value)
{
        text_put_json(line, span_of(value, strnlen(value, VALUE_MAX)));
}

static void event_begin(struct text *line, const char *event)
{
        text_put(line, SPAN("{\"time\":\""));
        put_time(line);
        text_put(line, SPAN("\",\"event\":"));
        put_value(line, event);
}

static void event_hand_over(struct log_writer *log, const struct text *line)
{
        struct log_event *copy = malloc(sizeof *copy + line->length);

        if (copy != NULL) {
                copy->next = NULL;
                copy->length = line->length;
                memcpy(copy->octets, line->at, line->length);
        }
        pthread_mutex_lock(&log->lock);
        bool is_taken = copy != NULL && log->events_octets + line->length <= EVENTS_OCTETS_MAX;
        if (is_taken) {
                log->events_octets += line->length;
                *log->events_end = copy;
                log->events_end = &copy->next;
        } else {
                log->events_lost++;
        }
        pthread_mutex_unlock(&log->lock);
        if (!is_taken)
                free(copy);
        waker_wake(&log->waker);
}

const char log_number_follows[] = "";

void log_event_write(struct text *line, const char *event, va_list pairs)
{
        size_t before = line->length;

        line->overflowed = false;
        event_begin(line, event);
        for (const char *name; (name = va_arg(pairs, const char *)) != NULL;) {
                bool is_number = name == log_number_follows;
                if (is_number)
                        name = va_arg(pairs, const char *);
                text_put_char(line, ',');
                put_value(line, name);
                text_put_char(line, ':');
                if (is_number)
                        text_put_number(line, va_arg(pairs, uint64_t));
                else
                        put_value(line, va_arg(pairs, const char *));
        }
        text_put(line, SPAN("}\n"));
        if (line->overflowed)
                line->length = before;
        line->overflowed = false;
}

void log_pairs(struct log_writer *log, const char *event, va_list pairs)
{
        char octets[EVENT_MAX];
        struct text line;

        text_over(&line, octets, sizeof octets);
        log_event_write(&line, event, pairs);
        event_hand_over(log, &line);
}

void log_event(struct log_writer *log, const char *event, ...)
{
        va_list pairs;

        va_start(pairs, event);
        log_pairs(log, event, pairs);
        va_end(pairs);
}

void log_event_numbers(struct log_writer *log, const char *event, const char *const *names,
                       const uint64_t *numbers)
{
        char octets[EVENT_MAX];
        struct text line;

        text_over(&line, octets, sizeof octets);
        event_begin(&line, event);
        for (size_t i = 0; names[i] != NULL; i++) {
                text_put_char(&line, ',');
                put_value(&line, names[i]);
                text_put_char(&line, ':');
                text_put_number(&line, numbers[i]);
        }
        text_put(&line, SPAN("}\n"));
        if (!line.overflowed)
                event_hand_over(log, &line);
}

/* ---- thread -------------------------------------------------------------------------------------------- */

/* How many octets could be written. */
static size_t write_some(struct log_writer *log, const char *at, size_t length)
{
        size_t done = 0;

        while (done < length) {
                ssize_t written = write(log->target->fd, at + done, length - done);
                if (written < 0 && errno == EINTR)
                        continue;
                if (written < 0) {
                        log->lost_for = errno;
                        if (!log->is_failing)
                                console_fail("gatepost: cannot write the log: %s", strerror(errno));
                        log->is_failing = true;
                        break;
                }
                log->is_failing = false;
                done += (size_t)written;
        }
        if (done > 0)
                log->is_torn = at[done - 1] != '\n';
        return done;
}

/* A line of ours, in the form of the others. False when it could not be written. */
static bool write_whole(struct log_writer *log, struct span line)
{
        char octets[1024];
        struct text text;

        text_over(&text, octets, sizeof octets);
        log_target_render(log->target, line, &text);
        return write_some(log, text.at, text.length) == text.length;
}

static void put_lost(struct text *line, uint64_t count, const char *reason)
{
        event_begin(line, "log_lines_dropped");
        text_printf(line, ",\"lines\":%" PRIu64 ",\"reason\":", count);
        put_value(line, reason);
        text_put(line, SPAN("}\n"));
}

/* As soon as it can be written again, the log itself tells what is missing there. False when it still cannot. */
static bool tell_lost(struct log_writer *log)
{
        char octets[512];
        struct text line;

        if (log->is_torn && write_some(log, "\n", 1) == 0)
                return false;
        if (log->lost == 0)
                return true;
        text_over(&line, octets, sizeof octets);
        put_lost(&line, log->lost, strerrordesc_np(log->lost_for));
        if (!write_whole(log, text_span(&line)))
                return false;
        log->lost = 0;
        return true;
}

/* What cannot be written is lost: waiting would stop the mail. */
static void write_rendered(struct log_writer *log, const char *at, size_t length)
{
        size_t done = tell_lost(log) ? write_some(log, at, length) : 0;

        for (; done < length; done++)
                log->lost += at[done] == '\n';
}

static void flush_rendered(struct log_writer *log, struct text *rendered)
{
        write_rendered(log, rendered->at, rendered->length);
        rendered->length = 0;
        rendered->overflowed = false;
}

/* A line that has no room beside others has it alone. */
static void render_line(struct log_writer *log, struct span line, struct text *rendered)
{
        size_t before = rendered->length;

        log_target_render(log->target, line, rendered);
        if (!rendered->overflowed)
                return;
        rendered->length = before;
        flush_rendered(log, rendered);
        log_target_render(log->target, line, rendered);
        if (!rendered->overflowed)
                return;
        rendered->length = 0;
        rendered->overflowed = false;
        log->lost++;
        log->lost_for = EMSGSIZE;
}

/* Whole lines. */
static void write_octets(struct log_writer *log, const char *at, size_t length)
{
        struct span rest = span_of(at, length);
        struct text rendered;

        if (!log_target_has_form(log->target)) {
                write_rendered(log, at, length);
                return;
        }
        text_over(&rendered, log->target->rendered, LOG_RENDERED_MAX);
        for (size_t newline; (newline = span_find(rest, '\n')) != SIZE_MAX;
             rest = span_skip(rest, newline + 1))
                render_line(log, span_of(rest.at, newline + 1), &rendered);
        flush_rendered(log, &rendered);
}

/* They would stand behind those that have waited. */
static void tell_lost_events(struct log_writer *log, uint64_t count)
{
        char octets[512];
        struct text line;

        text_over(&line, octets, sizeof octets);
        put_lost(&line, count, "the log was not written fast enough");
        write_octets(log, line.at, line.length);
}

static void take_target(struct log_writer *log)
{
        struct log_target *next = atomic_exchange(&log->next_target, NULL);

        if (next == NULL)
                return;
        log_target_free(log->target);
        log->target = next;
}

/* Who has switched tells of it next. Events are taken before the switch is looked for, so that this one stands in the
 * new file. */
static bool write_events(struct log_writer *log)
{
        pthread_mutex_lock(&log->lock);
        struct log_event *event = log->events;
        uint64_t lost = log->events_lost;
        log->events = NULL;
        log->events_end = &log->events;
        log->events_octets = log->events_lost = 0;
        pthread_mutex_unlock(&log->lock);

        take_target(log);
        bool is_any = event != NULL;
        while (event != NULL) {
                struct log_event *next = event->next;
                write_octets(log, event->octets, event->length);
                free(event);
                event = next;
        }
        if (lost > 0)
                tell_lost_events(log, lost);
        return is_any;
}

static bool write_buffers(struct log_writer *log)
{
        bool is_any = false;

        for (uint32_t i = 0; i < log->worker_count; i++) {
                struct log_buffer *buffer = (struct log_buffer *)channel_receive(&log->full[i]);
                if (buffer == NULL)
                        continue;
                is_any = true;
                write_octets(log, buffer->octets, buffer->length);
                channel_send(log->empty[i], &buffer->parcel);
                /* A worker has fewer buffers than the ring has slots. */
                expect(channel_flush(log->empty[i]));
        }
        return is_any;
}

static bool has_work(struct log_writer *log)
{
        for (uint32_t i = 0; i < log->worker_count; i++)
                if (!channel_is_empty(&log->full[i]))
                        return true;
        pthread_mutex_lock(&log->lock);
        bool has_events = log->events != NULL;
        pthread_mutex_unlock(&log->lock);
        return has_events || atomic_load(&log->next_target) != NULL;
}

static void *log_writer_main(void *argument)
{
        struct log_writer *log = argument;

        pthread_setname_np(pthread_self(), "log");
        for (;;) {
                bool is_stopping = atomic_load(&log->is_stopping);
                bool was_any = write_events(log);
                was_any |= write_buffers(log);
                if (was_any)
                        continue;
                if (is_stopping)
                        break;
                waker_prepare(&log->waker);
                if (has_work(log) || atomic_load(&log->is_stopping))
                        waker_stay_awake(&log->waker);
                else
                        waker_sleep(&log->waker);
        }
        return NULL;
}

bool log_writer_start(struct log_writer *log)
{
        return pthread_create(&log->thread, NULL, log_writer_main, log) == 0;
}

bool log_writer_stop(struct log_writer *log)
{
        atomic_store(&log->is_stopping, true);
        waker_wake(&log->waker);
        return clock_join_thread(log->thread, clock_monotonic_ms() + STOP_WAIT_MS);
}
