/* The worker's loop: events, arrivals, reports, timers, log. */
#include "workers/inbound/worker.h"

#include "workers/inbound/acceptor.h"
#include "workers/inbound/delivery_client.h"
#include "dns/clock.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>
#include <urcu/urcu-memb.h>

#define EVENTS_PER_TURN 256
#define EVENTS_FEW      4
#define LOG_BUFFERS     4 /* less than CHANNEL_SLOTS */
#define LOG_AGE_MAX_MS  20
#define RETRY_MS        1 /* while a ring is full */

/* Unused memory that is kept, in blocks. */
#define SESSION_BLOCK_SIZE      216 /* two hold the answers about a usual client, and its HELO */
#define SESSION_BLOCKS_KEPT     4096
#define TRANSACTION_BLOCK_SIZE  2048
#define TRANSACTION_BLOCKS_KEPT 1024
#define CONTENT_BLOCKS_KEPT     512

/* ---- time and log -------------------------------------------------------------------------------------- */

static void worker_look_at_clock(struct worker *worker)
{
        worker->host.now_ms = clock_monotonic_ms();
        worker->host.wall_ms = clock_wall_ms();
}

static void log_use(struct worker *worker, struct log_buffer *buffer)
{
        worker->log_buffer = buffer;
        text_over(&worker->host.log, buffer->octets, sizeof buffer->octets);
}

static void log_drop(struct worker *worker)
{
        struct span lines = text_span(&worker->host.log);
        size_t newline;

        while ((newline = span_find(lines, '\n')) != SIZE_MAX) {
                counter_add(&worker->counters.metrics[METRIC_log_lines_dropped], 1);
                lines = span_skip(lines, newline + 1);
        }
        worker->host.log.length = 0;
}

/* Hands the lines to the log writer; false when it has all other buffers still. */
static bool log_hand_over(struct worker *worker)
{
        struct channel *channel = &worker->log->full[worker->number];
        struct log_buffer *next = (struct log_buffer *)channel_receive(worker->empty_logs);

        if (next == NULL)
                return false;
        worker->log_buffer->length = worker->host.log.length;
        channel_send(channel, &worker->log_buffer->parcel);
        channel_flush(channel);
        log_use(worker, next);
        return true;
}

void worker_make_log_room(struct worker *worker)
{
        if (text_room(&worker->host.log) < LOG_LINE_MAX && !log_hand_over(worker))
                log_drop(worker);
}

void worker_log_event(struct worker *worker, const char *event, ...)
{
        va_list pairs;

        va_start(pairs, event);
        log_event_write(&worker->host.log, event, pairs);
        va_end(pairs);
        worker_make_log_room(worker);
}

static void log_end_turn(struct worker *worker)
{
        if (worker->host.log.length == 0) {
                worker->log_begun_ms = UINT64_MAX;
                return;
        }
        if (worker->log_begun_ms == UINT64_MAX)
                worker->log_begun_ms = worker->host.now_ms;
        if (worker->host.now_ms - worker->log_begun_ms >= LOG_AGE_MAX_MS && log_hand_over(worker))
                worker->log_begun_ms = UINT64_MAX;
}

/* A log writer that is stuck for a second gets no more. */
static void log_end(struct worker *worker)
{
        for (int i = 0; i < 1000 && worker->host.log.length > 0 && !log_hand_over(worker); i++)
                nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        log_drop(worker);
}

/* What is to be remembered goes to a store that takes it, or within a second is lost. */
static void sender_end(struct worker *worker)
{
        for (int i = 0; i < 1000 && !sender_client_flush(worker->senders); i++)
                nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* ---- turn ---------------------------------------------------------------------------------------------- */

static bool has_work(const struct worker *worker)
{
        if (acceptor_has_orders(worker->acceptor))
                return true;
        for (uint32_t i = 0; i < worker->delivery_count; i++)
                if (!channel_is_empty(&worker->reports[i]))
                        return true;
        return dns_client_has_answers(worker->dns) || sender_client_has_answers(worker->senders) ||
               atomic_load_explicit(&worker->stop_stage, memory_order_acquire) != (int)worker->stopping;
}

/* How long epoll may sleep; announces the sleep. */
static int prepare_sleep(struct worker *worker, bool is_all_sent)
{
        int wait_ms = wheel_wait_ms(&worker->wheel, worker->host.now_ms);

        if (!is_all_sent)
                wait_ms = RETRY_MS;
        else if (worker->log_begun_ms != UINT64_MAX && (wait_ms < 0 || wait_ms > LOG_AGE_MAX_MS))
                wait_ms = LOG_AGE_MAX_MS;
        wait_ms = acceptor_wait_ms(worker->acceptor, wait_ms);
        waker_prepare(&worker->waker);
        if (!has_work(worker))
                return wait_ms;
        waker_stay_awake(&worker->waker);
        return 0;
}

static void take_answers(struct worker *worker)
{
        const struct dns_reply_message *message;
        while ((message = dns_client_receive(worker->dns)) != NULL)
                connection_answer(worker, message);

        const struct sender_job *job;
        while ((job = sender_client_receive(worker->senders)) != NULL)
                connection_sender_answer(worker, job);
}

static void take_time_outs(struct worker *worker)
{
        struct timer *timer;
        while ((timer = wheel_expire(&worker->wheel, worker->host.now_ms)) != NULL)
                connection_tick(worker, (struct connection *)timer);
}

static void for_each_connection(struct worker *worker, void (*act)(struct worker *, struct connection *))
{
        struct connection *next;
        for (struct connection *connection = LIST_FIRST(&worker->connections.open); connection != NULL;
             connection = next) {
                next = LIST_NEXT(connection, entry);
                act(worker, connection);
        }
}

static void take_events(struct worker *worker, const struct epoll_event *events, int count)
{
        /* Who has little to do takes one connection at a time: the next one may be for a worker that sleeps,
         * and to find out that there is none costs a call. */
        uint64_t accepts = count <= EVENTS_FEW ? 1 : (uint64_t)count;

        for (int i = 0; i < count; i++) {
                struct listener *listener = acceptor_untag(events[i].data.ptr);
                if (listener != NULL)
                        acceptor_event(worker->acceptor, listener, accepts);
                else if (events[i].data.ptr != NULL)
                        connection_event(worker, events[i].data.ptr, events[i].events);
        }
}

/* The acceptor's orders come before the news of a stop, so that whoever was accepted is told. */
static void look_around(struct worker *worker)
{
        bool under_stress = atomic_load_explicit(worker->under_stress, memory_order_relaxed);
        enum stop_stage stage =
            (enum stop_stage)atomic_load_explicit(&worker->stop_stage, memory_order_acquire);

        acceptor_look(worker->acceptor);
        if (under_stress != worker->host.under_stress) {
                worker->host.under_stress = under_stress;
                for_each_connection(worker, connection_stress);
        }
        if (stage != worker->stopping) {
                worker->stopping = stage;
                for_each_connection(worker, connection_stop);
        }
}

static void worker_turn(struct worker *worker, int wait_ms)
{
        struct epoll_event events[EVENTS_PER_TURN];
        int count = epoll_wait(worker->epoll_fd, events, EVENTS_PER_TURN, wait_ms);

        waker_stay_awake(&worker->waker);
        expect(count >= 0 || errno == EINTR);
        worker_look_at_clock(worker);
        take_events(worker, events, count);
        delivery_client_receive(worker);
        take_answers(worker);
        look_around(worker);
        take_time_outs(worker);
        log_end_turn(worker);
        dns_client_flush(worker->dns);
}

static bool is_finished(struct worker *worker)
{
        return worker->stopping != STOP_NOT && worker->acceptor->listener_count == 0 &&
               LIST_EMPTY(&worker->connections.open) && worker->jobs_sent_total == 0 && !has_work(worker);
}

static void *worker_main(void *argument)
{
        struct worker *worker = argument;
        int wait_ms = 0;

        urcu_memb_register_thread();
        do {
                worker_turn(worker, wait_ms);
                bool is_all_sent = delivery_client_flush(worker);
                is_all_sent = sender_client_flush(worker->senders) && is_all_sent;
                wait_ms = prepare_sleep(worker, is_all_sent);
        } while (!is_finished(worker));
        sender_end(worker);
        log_end(worker);
        urcu_memb_unregister_thread();
        atomic_store(&worker->has_ended, true);
        return NULL;
}

/* ---- life ---------------------------------------------------------------------------------------------- */

static bool log_init(struct worker *worker)
{
        for (int i = 0; i < LOG_BUFFERS; i++) {
                struct log_buffer *buffer = malloc(sizeof *buffer);
                if (buffer == NULL)
                        return false;
                if (i == 0)
                        log_use(worker, buffer);
                else
                        channel_send(worker->empty_logs, &buffer->parcel);
        }
        worker->log_begun_ms = UINT64_MAX;
        return true;
}

/* Ids hold the second and 22 bits of the sequence: a restart within a second must not begin where its
 * predecessor did. */
static uint64_t first_sequence(void)
{
        return (uint64_t)(clock_wall_us() % 1000000) * (1u << 22) / 1000000;
}

bool worker_init(struct worker *worker)
{
        struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = NULL};
        char *out = malloc(WRITE_SIZE);

        worker->input = malloc(SESSION_INPUT_MAX + READ_SIZE);
        worker->jobs_sent = calloc(worker->delivery_count, sizeof worker->jobs_sent[0]);
        worker->reports = channels_create(worker->delivery_count, &worker->waker);
        worker->empty_logs = channels_create(1, NULL);
        text_over(&worker->out, out, WRITE_SIZE);
        block_pool_init(&worker->host.session_pool, SESSION_BLOCK_SIZE, SESSION_BLOCKS_KEPT);
        block_pool_init(&worker->host.transaction_pool, TRANSACTION_BLOCK_SIZE, TRANSACTION_BLOCKS_KEPT);
        content_pool_init(&worker->host.content_pool, CONTENT_BLOCKS_KEPT);
        worker->host.counters = &worker->counters;
        worker->host.worker = worker->number;
        LIST_INIT(&worker->connections.open);
        LIST_INIT(&worker->connections.unused);
        worker->waker.event_fd = -1;
        worker->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        if (out == NULL || worker->input == NULL || worker->jobs_sent == NULL || worker->reports == NULL ||
            worker->empty_logs == NULL || !log_init(worker))
                return false;
        worker_look_at_clock(worker);
        worker->host.sequence = first_sequence();
        wheel_init(&worker->wheel, worker->host.now_ms);
        return worker->epoll_fd >= 0 && waker_open(&worker->waker) &&
               epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, worker->waker.event_fd, &event) == 0;
}

bool worker_start(struct worker *worker)
{
        return pthread_create(&worker->thread, NULL, worker_main, worker) == 0;
}

void worker_stop(struct worker *worker, enum stop_stage stage)
{
        atomic_store_explicit(&worker->stop_stage, (int)stage, memory_order_release);
        waker_wake(&worker->waker);
}

void worker_join(struct worker *worker)
{
        pthread_join(worker->thread, NULL);
}

void worker_end(struct worker *worker)
{
        struct parcel *parcel;

        while ((parcel = channel_receive(worker->empty_logs)) != NULL)
                free(parcel);
        free(worker->log_buffer);
        delivery_client_end(worker);
        connections_end(&worker->connections);
        block_pool_end(&worker->host.session_pool);
        block_pool_end(&worker->host.transaction_pool);
        content_pool_end(&worker->host.content_pool);
        free(worker->out.at);
        free(worker->input);
        free(worker->jobs_sent);
        free(worker->reports);
        free(worker->empty_logs);
        close(worker->epoll_fd);
        waker_close(&worker->waker);
}
