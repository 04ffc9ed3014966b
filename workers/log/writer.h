/* The thread that writes the log. Workers hand over buffers of whole lines and get them back. The server's
 * own events are lines too. */
#pragma once

#include "core/base/text.h"
#include "workers/log/target.h"
#include "workers/thread/channel.h"

#include <pthread.h>
#include <stdarg.h>

#define LOG_BUFFER_SIZE 131072

struct log_buffer {
        struct parcel parcel;
        size_t length;
        char octets[LOG_BUFFER_SIZE];
};

struct log_event;

struct log_writer {
        /* Fixed after start. */
        uint32_t worker_count;
        struct channel *full;   /* from each worker */
        struct channel **empty; /* back to each worker; set before start */
        pthread_t thread;

        struct waker waker;
        _Atomic bool is_stopping;
        struct log_target *_Atomic next_target; /* replaces target; NULL: none */

        /* Events are rare and never on a session's way: a lock is good enough. */
        pthread_mutex_t lock;
        struct log_event *events, **events_end;
        size_t events_octets;
        uint64_t events_lost; /* for which there was no memory or no room */

        /* Owner: the thread. */
        struct log_target *target;
        bool is_failing;
        bool is_torn;  /* what could be written ends within a line */
        uint64_t lost; /* lines that could not be written, and that the log does not tell of yet */
        int lost_for;  /* errno of the last of them */
};

/* Takes the target over. False when memory or descriptors are out. */
bool log_writer_init(struct log_writer *log, struct log_target *target, uint32_t worker_count);
/* Before the start: buffers of this worker go back there. */
void log_writer_connect(struct log_writer *log, uint32_t worker, struct channel *empty);
bool log_writer_start(struct log_writer *log);
/* Goes on in another file, or in the same one opened anew, and takes that over. */
void log_writer_switch(struct log_writer *log, struct log_target *target);
/* Waits until all that was handed over is written. False when that takes more than five seconds; then the
 * thread still runs. */
bool log_writer_stop(struct log_writer *log);
void log_writer_end(struct log_writer *log);

/* In the place of a pair: the value is a number. */
#define LOG_NUMBER(name, number) log_number_follows, (name), (uint64_t)(number)
extern const char log_number_follows[];

/* Any thread: writes a line {"time":...,"event":EVENT,NAME:VALUE,...}. Pairs of name and value follow, both of
 * them strings but for LOG_NUMBER(), and NULL ends them. */
void log_event(struct log_writer *log, const char *event, ...) __attribute__((sentinel));
void log_pairs(struct log_writer *log, const char *event, va_list pairs);
/* Appends such a line to `line`, or nothing when it does not fit. */
void log_event_write(struct text *line, const char *event, va_list pairs);
/* Any thread: writes such a line with numbers. NULL ends `names`. */
void log_event_numbers(struct log_writer *log, const char *event, const char *const *names,
                       const uint64_t *numbers);
