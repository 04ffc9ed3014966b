/* What a worker and its connections write to the log: whole lines in a buffer, which the log writer gets now
 * and then. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

struct worker;

/* For connections: keeps SESSION_LOG_ROOM of room in the log buffer. */
void worker_make_log_room(struct worker *worker);
/* For the worker itself: an event among its log lines, see log_event(). */
void worker_log_event(struct worker *worker, const char *event, ...) __attribute__((sentinel));
void worker_log_pairs(struct worker *worker, const char *event, va_list pairs);

/* How many buffers a worker may have in so many octets. */
uint32_t worker_log_buffers(uint64_t octets);
/* False when memory is out. */
bool worker_log_init(struct worker *worker);
/* Once a turn: lines that have waited long enough go. */
void worker_log_end_turn(struct worker *worker);
/* How long epoll may sleep, where it would sleep `wait_ms` (-1: for ever). */
int worker_log_wait_ms(const struct worker *worker, int wait_ms);
/* The thread ends: a log writer that is stuck for a second gets no more. */
void worker_log_end(struct worker *worker);
void worker_log_free(struct worker *worker);
