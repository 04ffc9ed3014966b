/* A worker thread: an edge-triggered epoll loop over its connections. It takes no lock and makes no call that
 * blocks; it meets other threads in channels, in the published snapshot and in atomic counts only. */
#pragma once

#include "core/smtp/session.h"
#include "workers/inbound/client_table.h"
#include "workers/inbound/connection.h"
#include "workers/thread/publication.h"
#include "workers/deliver/delivery.h"
#include "workers/senders/store.h"
#include "workers/thread/wheel.h"

/* Also room in front of what is received, for an unended line that came before. */
#define READ_SIZE  65536
#define WRITE_SIZE 65536

struct acceptor;

/* An accepted socket. */
struct arrival {
        int fd;
        struct client_seat seat;
        struct session_peer peer;
};

enum stop_stage {
        STOP_NOT,
        STOP_IDLE, /* sessions end at their next boundary */
        STOP_ALL,  /* only messages whose text is whole are waited for, and no answers for them */
};

struct worker {
        /* Fixed after start. */
        uint32_t number;
        uint32_t delivery_count;
        struct acceptor *acceptor; /* its own */
        struct publication *publication;
        struct client_table *clients;
        struct delivery *deliveries;
        struct log_writer *log;
        struct dns_client *dns;
        struct sender_client *senders;
        const _Atomic bool *under_stress;
        pthread_t thread;
        int epoll_fd;
        struct channel *reports; /* from each delivery thread */
        struct channel *empty_logs;

        /* Written by others. */
        struct waker waker;
        _Atomic int stop_stage; /* enum stop_stage */

        /* Owner: the thread. */
        struct session_host host;
        struct wheel wheel;
        struct connections connections;
        struct text out; /* replies of the connection at hand */
        char *input;     /* SESSION_INPUT_MAX + READ_SIZE */
        struct delivery_job *free_jobs;
        uint32_t *jobs_sent; /* for each delivery thread: those not reported */
        uint32_t jobs_sent_total;
        struct log_buffer *log_buffer;
        uint64_t log_begun_ms; /* since when lines wait in the buffer */
        enum stop_stage stopping;

        /* Read by others. */
        _Alignas(64) _Atomic uint32_t open; /* sockets */
        _Atomic bool has_ended;
        struct counters counters;
};

/* False when memory or descriptors are out. The other members marked as fixed are the caller's to set before
 * and after. */
bool worker_init(struct worker *worker);
bool worker_start(struct worker *worker);
/* Any thread. The thread ends when it has no connection left. */
void worker_stop(struct worker *worker, enum stop_stage stage);
void worker_join(struct worker *worker);
void worker_end(struct worker *worker);

/* For connections: keeps LOG_LINE_MAX of room in the log buffer. */
void worker_make_log_room(struct worker *worker);
/* For the worker itself: an event among its log lines, see log_event(). */
void worker_log_event(struct worker *worker, const char *event, ...) __attribute__((sentinel));
