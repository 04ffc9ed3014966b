/* A worker's log lines, in buffers that go to the log writer and come back. */
#include "workers/inbound/worker_log.h"

#include "workers/inbound/worker.h"

#include <stdlib.h>
#include <time.h>

#define LOG_BUFFERS_KEPT 4
#define LOG_AGE_MAX_MS   20

static void log_use(struct worker *worker, struct log_buffer *buffer)
{
        worker->log_buffer = buffer;
        text_over(&worker->host.log, buffer->octets, sizeof buffer->octets);
}

/* The buffer's lines are lost; the log is told in their place how many are missing there. */
static void log_drop(struct worker *worker)
{
        struct span lines = text_span(&worker->host.log);
        uint64_t dropped = 0;
        size_t newline;

        if (lines.length == 0)
                return;
        for (; (newline = span_find(lines, '\n')) != SIZE_MAX; dropped++)
                lines = span_skip(lines, newline + 1);
        dropped -= worker->log_lost > 0; /* the line that told of those before */
        counter_add(&worker->counters.metrics[METRIC_log_lines_dropped], dropped);
        worker->log_lost += dropped;
        worker->host.log.length = 0;
        worker_log_event(worker, "log_lines_dropped", LOG_NUMBER("lines", worker->log_lost), "reason",
                         "the log was not written fast enough", NULL);
}

/* One that the log writer has given back, or while there may be more a new one; or NULL. */
static struct log_buffer *take_buffer(struct worker *worker)
{
        struct log_buffer *buffer = (struct log_buffer *)channel_receive(worker->empty_logs);

        if (buffer == NULL && worker->log_buffers < worker->log_buffers_max &&
            (buffer = malloc(sizeof *buffer)) != NULL)
                worker->log_buffers++;
        return buffer;
}

/* Hands the lines to the log writer; false when there is no other buffer. */
static bool log_hand_over(struct worker *worker, struct log_buffer *next)
{
        struct channel *channel = &worker->log->full[worker->number];

        if (next == NULL)
                return false;
        worker->log_buffer->length = worker->host.log.length;
        channel_send(channel, &worker->log_buffer->parcel);
        channel_flush(channel);
        worker->log_lost = 0;
        log_use(worker, next);
        return true;
}

/* Once a burst is over. */
static void give_memory_back(struct worker *worker)
{
        struct parcel *parcel;

        while (worker->log_buffers > LOG_BUFFERS_KEPT &&
               (parcel = channel_receive(worker->empty_logs)) != NULL) {
                free(parcel);
                worker->log_buffers--;
        }
}

void worker_make_log_room(struct worker *worker)
{
        if (text_room(&worker->host.log) < SESSION_LOG_ROOM && !log_hand_over(worker, take_buffer(worker)))
                log_drop(worker);
}

void worker_log_pairs(struct worker *worker, const char *event, va_list pairs)
{
        log_event_write(&worker->host.log, event, pairs);
        worker_make_log_room(worker);
}

void worker_log_event(struct worker *worker, const char *event, ...)
{
        va_list pairs;

        va_start(pairs, event);
        worker_log_pairs(worker, event, pairs);
        va_end(pairs);
}

void worker_log_end_turn(struct worker *worker)
{
        give_memory_back(worker);
        if (worker->host.log.length == 0) {
                worker->log_begun_ms = UINT64_MAX;
                return;
        }
        if (worker->log_begun_ms == UINT64_MAX)
                worker->log_begun_ms = worker->host.now_ms;
        /* While the log writer does not follow, buffers are filled before there are more of them. */
        if (worker->host.now_ms - worker->log_begun_ms >= LOG_AGE_MAX_MS &&
            log_hand_over(worker, (struct log_buffer *)channel_receive(worker->empty_logs)))
                worker->log_begun_ms = UINT64_MAX;
}

/* A log writer that is stuck for a second gets no more. */
void worker_log_end(struct worker *worker)
{
        for (int i = 0;
             i < 1000 && worker->host.log.length > 0 && !log_hand_over(worker, take_buffer(worker)); i++)
                nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        log_drop(worker);
}

int worker_log_wait_ms(const struct worker *worker, int wait_ms)
{
        bool has_lines = worker->log_begun_ms != UINT64_MAX;
        return has_lines && (wait_ms < 0 || wait_ms > LOG_AGE_MAX_MS) ? LOG_AGE_MAX_MS : wait_ms;
}

uint32_t worker_log_buffers(uint64_t octets)
{
        uint64_t count = octets / sizeof(struct log_buffer);

        if (count < LOG_BUFFERS_KEPT)
                return LOG_BUFFERS_KEPT;
        return count < CHANNEL_SLOTS ? (uint32_t)count : CHANNEL_SLOTS - 1;
}

bool worker_log_init(struct worker *worker)
{
        worker->empty_logs = channels_create(1, NULL);
        if (worker->empty_logs == NULL)
                return false;
        log_writer_connect(worker->log, worker->number, worker->empty_logs);
        for (int i = 0; i < LOG_BUFFERS_KEPT; i++) {
                struct log_buffer *buffer = malloc(sizeof *buffer);
                if (buffer == NULL)
                        return false;
                worker->log_buffers++;
                if (i == 0)
                        log_use(worker, buffer);
                else
                        channel_send(worker->empty_logs, &buffer->parcel);
        }
        worker->log_begun_ms = UINT64_MAX;
        return true;
}

void worker_log_free(struct worker *worker)
{
        struct parcel *parcel;

        while ((parcel = channel_receive(worker->empty_logs)) != NULL)
                free(parcel);
        free(worker->log_buffer);
        free(worker->empty_logs);
}
