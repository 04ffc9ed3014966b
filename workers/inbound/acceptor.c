/* Listeners in a worker's loop. */
#include "workers/inbound/acceptor.h"

#include "workers/inbound/admission.h"

#include <errno.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>
#include <urcu/urcu-memb.h>

#define BATCH_MAX       64
#define BACKLOG_BATCHES 128 /* more than the longest backlog: what comes later comes too late */
#define SHORTAGE_MS     100 /* pause when descriptors or memory are out */
#define LOOK_AGAIN_MS   20  /* while full or under stress */
#define SHORTAGE_SAY_MS 60000

/* One turn's view of the limits. */
struct limits {
        const struct snapshot *snapshot;
        uint64_t open, max;
};

uint64_t workers_open(const struct worker *workers, uint32_t worker_count)
{
        uint64_t open = 0;
        for (uint32_t i = 0; i < worker_count; i++)
                open += atomic_load_explicit(&workers[i].open, memory_order_relaxed);
        return open;
}

static struct limits look_at_limits(struct acceptor *acceptor, const struct snapshot *snapshot)
{
        struct limits limits = {.snapshot = snapshot, .max = snapshot->options.connections_max};

        if (limits.max == 0 || limits.max > acceptor->sessions_max)
                limits.max = acceptor->sessions_max;
        limits.open = workers_open(acceptor->workers, acceptor->worker_count);
        return limits;
}

static void tell_stress(struct acceptor *acceptor, const struct limits *limits)
{
        bool under_stress = limits->open * 100 >= limits->max * limits->snapshot->options.stress_at;
        if (under_stress != atomic_load_explicit(&acceptor->load->under_stress, memory_order_relaxed))
                atomic_store_explicit(&acceptor->load->under_stress, under_stress, memory_order_relaxed);
}

/* ---- pause --------------------------------------------------------------------------------------------- */

static bool watch(struct acceptor *acceptor, struct listener *listener)
{
        struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = acceptor_tag(listener)};
        return epoll_ctl(acceptor->worker->epoll_fd, EPOLL_CTL_ADD, listener->fd, &event) == 0;
}

static void unwatch(struct acceptor *acceptor, struct listener *listener)
{
        epoll_ctl(acceptor->worker->epoll_fd, EPOLL_CTL_DEL, listener->fd, NULL);
}

static void acceptor_pause(struct acceptor *acceptor, uint64_t pause_ms)
{
        for (size_t i = 0; i < acceptor->listener_count && !acceptor->is_paused; i++)
                unwatch(acceptor, acceptor->listeners[i]);
        acceptor->is_paused = true;
        acceptor->look_again_ms = acceptor->worker->host.now_ms + pause_ms;
}

static void pause_when_full(struct acceptor *acceptor, const struct limits *limits)
{
        char max[24];

        acceptor_pause(acceptor, LOOK_AGAIN_MS);
        if (atomic_exchange(&acceptor->load->is_full, true))
                return;
        snprintf(max, sizeof max, "%llu", (unsigned long long)limits->max);
        worker_log_event(acceptor->worker, "limit_reached", "sessions", max, NULL);
}

static void pause_for_shortage(struct acceptor *acceptor, int error)
{
        acceptor_pause(acceptor, SHORTAGE_MS);
        if (acceptor->shortage_said_ms != 0 &&
            acceptor->worker->host.now_ms - acceptor->shortage_said_ms < SHORTAGE_SAY_MS)
                return;
        acceptor->shortage_said_ms = acceptor->worker->host.now_ms;
        worker_log_event(acceptor->worker, "accept_failed", "reason", strerror(error), NULL);
}

static void resume_when_possible(struct acceptor *acceptor, const struct limits *limits)
{
        if (!acceptor->is_paused || acceptor->worker->host.now_ms < acceptor->look_again_ms)
                return;
        acceptor->look_again_ms = acceptor->worker->host.now_ms + LOOK_AGAIN_MS;
        if (limits->open * 100 >= limits->max * 95)
                return;
        for (size_t i = 0; i < acceptor->listener_count; i++)
                if (!watch(acceptor, acceptor->listeners[i])) {
                        while (i-- > 0)
                                unwatch(acceptor, acceptor->listeners[i]);
                        return;
                }
        acceptor->is_paused = false;
        if (atomic_exchange(&acceptor->load->is_full, false))
                worker_log_event(acceptor->worker, "limit_left", NULL);
}

/* ---- listeners ----------------------------------------------------------------------------------------- */

/* Takes up to `max` connections; gives the error that ended it, or 0. Errors of single connections
 * (accept(2)) are passed over. */
static int accept_batch(struct acceptor *acceptor, const struct snapshot *snapshot,
                        const struct listener *listener, uint64_t max)
{
        for (uint64_t i = 0; i < max; i++) {
                struct sockaddr_storage client;
                socklen_t length = sizeof client;
                int fd =
                    accept4(listener->fd, (struct sockaddr *)&client, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);

                if (fd >= 0)
                        acceptor_admit(acceptor, snapshot, listener, fd, (const struct sockaddr *)&client);
                else if (errno == EAGAIN || errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
                         errno == ENOMEM)
                        return errno;
        }
        return 0;
}

static void accept_within(struct acceptor *acceptor, const struct snapshot *snapshot,
                          const struct listener *listener, uint64_t max)
{
        /* Each worker takes its share of what is left, so that together they do not exceed it by more than
         * their number. */
        struct limits limits = look_at_limits(acceptor, snapshot);
        uint64_t left = limits.open < limits.max ? limits.max - limits.open : 0;
        uint64_t share = (left + acceptor->worker_count - 1) / acceptor->worker_count;

        if (share == 0) {
                pause_when_full(acceptor, &limits);
                return;
        }
        int error = accept_batch(acceptor, snapshot, listener, share < max ? share : max);
        if (error != 0 && error != EAGAIN)
                pause_for_shortage(acceptor, error);
        limits.open = workers_open(acceptor->workers, acceptor->worker_count);
        tell_stress(acceptor, &limits);
}

void acceptor_event(struct acceptor *acceptor, struct listener *listener, uint64_t max)
{
        struct worker *worker = acceptor->worker;

        if (acceptor->is_paused)
                return;
        struct published *published = publication_pin(worker->publication, worker->number);
        accept_within(acceptor, published->snapshot, listener, max < BATCH_MAX ? max : BATCH_MAX);
        publication_unpin(published, worker->number);
}

static void listen_on(struct acceptor *acceptor, struct listener *listener)
{
        struct listener **longer =
            realloc(acceptor->listeners, (acceptor->listener_count + 1) * sizeof(struct listener *));

        if (longer != NULL)
                acceptor->listeners = longer;
        if (longer == NULL || (!acceptor->is_paused && !watch(acceptor, listener))) {
                worker_log_event(acceptor->worker, "listen_failed", "reason", strerror(errno), NULL);
                listener_leave(listener);
                return;
        }
        acceptor->listeners[acceptor->listener_count++] = listener;
}

/* Nobody who has connected is left behind, be there room or not. */
static void leave(struct acceptor *acceptor, const struct snapshot *snapshot, struct listener *listener)
{
        for (size_t i = 0; i < acceptor->listener_count; i++) {
                if (acceptor->listeners[i] != listener)
                        continue;
                unwatch(acceptor, listener);
                for (int batches = 0; batches < BACKLOG_BATCHES; batches++)
                        if (accept_batch(acceptor, snapshot, listener, BATCH_MAX) != 0)
                                break;
                acceptor->listeners[i] = acceptor->listeners[--acceptor->listener_count];
                listener_leave(listener);
                return;
        }
}

/* ---- turn ---------------------------------------------------------------------------------------------- */

static void take_orders(struct acceptor *acceptor, const struct snapshot *snapshot)
{
        struct parcel *parcel;

        while ((parcel = channel_receive(acceptor->orders)) != NULL) {
                struct acceptor_order *order = (struct acceptor_order *)parcel;
                switch (order->kind) {
                case ACCEPTOR_LISTEN:
                        listen_on(acceptor, order->listener);
                        break;
                case ACCEPTOR_LEAVE:
                        leave(acceptor, snapshot, order->listener);
                        break;
                case ACCEPTOR_STOP:
                        while (acceptor->listener_count > 0)
                                leave(acceptor, snapshot, acceptor->listeners[0]);
                        acceptor->is_stopping = true;
                        break;
                }
                free(order);
        }
}

static bool looks_again(const struct acceptor *acceptor)
{
        return acceptor->is_paused ||
               atomic_load_explicit(&acceptor->load->under_stress, memory_order_relaxed);
}

void acceptor_look(struct acceptor *acceptor)
{
        struct worker *worker = acceptor->worker;

        if (!acceptor_has_orders(acceptor) && !looks_again(acceptor))
                return;
        struct published *published = publication_pin(worker->publication, worker->number);
        take_orders(acceptor, published->snapshot);
        struct limits limits = look_at_limits(acceptor, published->snapshot);
        tell_stress(acceptor, &limits);
        resume_when_possible(acceptor, &limits);
        publication_unpin(published, worker->number);
}

bool acceptor_has_orders(const struct acceptor *acceptor)
{
        return !channel_is_empty(acceptor->orders);
}

int acceptor_wait_ms(const struct acceptor *acceptor, int wait_ms)
{
        return looks_again(acceptor) && (wait_ms < 0 || wait_ms > LOOK_AGAIN_MS) ? LOOK_AGAIN_MS : wait_ms;
}

/* ---- life ---------------------------------------------------------------------------------------------- */

bool acceptor_init(struct acceptor *acceptor)
{
        acceptor->orders = channels_create(1, &acceptor->worker->waker);
        return acceptor->orders != NULL;
}

bool acceptor_order(struct acceptor *acceptor, enum acceptor_order_kind kind, struct listener *listener)
{
        struct acceptor_order *order = malloc(sizeof *order);

        if (order == NULL)
                return false;
        order->kind = kind;
        order->listener = listener;
        channel_send(acceptor->orders, &order->parcel);
        while (!channel_flush(acceptor->orders))
                nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        return true;
}

void acceptor_end(struct acceptor *acceptor)
{
        free(acceptor->listeners);
        free(acceptor->orders);
}
