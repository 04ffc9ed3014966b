/* Listeners in a worker's loop. */
#include "workers/inbound/accept/self_accept.h"

#include "workers/inbound/worker_log.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#define BATCH_MAX       64
#define BACKLOG_BATCHES 128 /* more than the longest backlog: what comes later comes too late */
#define SHORTAGE_MS     100 /* pause when descriptors or memory are out */
#define LOOK_AGAIN_MS   20  /* while full or under stress */

/* ---- pause --------------------------------------------------------------------------------------------- */

static bool watch(struct self_accept *self, struct listener *listener)
{
        struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE,
                                    .data.u64 = EVENT_OF_LISTENER | (uintptr_t)listener};
        return epoll_ctl(self->worker->epoll_fd, EPOLL_CTL_ADD, listener->fd, &event) == 0;
}

static void unwatch(struct self_accept *self, struct listener *listener)
{
        epoll_ctl(self->worker->epoll_fd, EPOLL_CTL_DEL, listener->fd, NULL);
}

static void pause_for(struct self_accept *self, uint64_t pause_ms)
{
        for (size_t i = 0; i < self->listener_count && !self->is_paused; i++)
                unwatch(self, self->listeners[i]);
        self->is_paused = true;
        self->look_again_ms = self->worker->host.now_ms + pause_ms;
}

static void resume_when_possible(struct self_accept *self, const struct snapshot *snapshot)
{
        if (!self->is_paused || self->worker->host.now_ms < self->look_again_ms)
                return;
        self->look_again_ms = self->worker->host.now_ms + LOOK_AGAIN_MS;
        if (!admission_may_resume(&self->admission, snapshot))
                return;
        for (size_t i = 0; i < self->listener_count; i++)
                if (!watch(self, self->listeners[i])) {
                        while (i-- > 0)
                                unwatch(self, self->listeners[i]);
                        return;
                }
        self->is_paused = false;
}

/* ---- listeners ----------------------------------------------------------------------------------------- */

/* False: descriptors or memory are out. */
static bool begin_session(struct self_accept *self, const struct snapshot *snapshot,
                          const struct listener *listener, int fd, const struct sockaddr *client)
{
        struct worker *worker = self->worker;
        struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.u64 = (uint64_t)fd};
        struct arrival arrival;

        if (!admission_judge(&self->admission, snapshot, listener, fd, client, &arrival))
                return true;
        if (epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
                int error = errno;
                admission_note_shortage(&self->admission, "connection_lost", error);
                admission_send_away(&self->admission, snapshot, &arrival);
                errno = error;
                return false;
        }
        counter_add(&worker->inflows[0].assigned, 1);
        connection_begin(worker, &arrival, NULL);
        return true;
}

/* Takes up to `max` connections; gives the error that ended it, or 0. Errors of single connections
 * (accept(2)) are passed over. */
static int accept_batch(struct self_accept *self, const struct snapshot *snapshot,
                        const struct listener *listener, uint64_t max)
{
        for (uint64_t i = 0; i < max; i++) {
                struct sockaddr_storage client;
                socklen_t length = sizeof client;
                int fd =
                    accept4(listener->fd, (struct sockaddr *)&client, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);

                if (fd >= 0 ? !begin_session(self, snapshot, listener, fd, (const struct sockaddr *)&client)
                            : errno == EAGAIN || error_is_shortage(errno))
                        return errno;
        }
        return 0;
}

static void accept_within(struct self_accept *self, const struct snapshot *snapshot,
                          const struct listener *listener, uint64_t max)
{
        uint64_t room = admission_room(&self->admission, snapshot);

        if (room == 0) {
                pause_for(self, LOOK_AGAIN_MS);
                return;
        }
        int error = accept_batch(self, snapshot, listener, room < max ? room : max);
        if (error == 0 || error == EAGAIN)
                return;
        admission_note_shortage(&self->admission, "accept_failed", error);
        pause_for(self, SHORTAGE_MS);
}

static struct published *pin(struct self_accept *self)
{
        self->admission.now_ms = self->worker->host.now_ms;
        return publication_pin(self->worker->publication, self->worker->number);
}

void self_accept_event(struct self_accept *self, struct listener *listener, uint64_t max)
{
        if (self->is_paused)
                return;
        struct published *published = pin(self);
        accept_within(self, published->snapshot, listener, max < BATCH_MAX ? max : BATCH_MAX);
        publication_unpin(published, self->worker->number);
}

static void listen_on(struct self_accept *self, struct listener *listener)
{
        struct listener **longer =
            realloc(self->listeners, (self->listener_count + 1) * sizeof(struct listener *));

        if (longer != NULL)
                self->listeners = longer;
        if (longer == NULL || (!self->is_paused && !watch(self, listener))) {
                worker_log_event(self->worker, "listen_failed", "reason", strerror(errno), NULL);
                listener_leave(listener);
                return;
        }
        self->listeners[self->listener_count++] = listener;
}

/* Nobody who has connected is left behind, be there room or not. */
static void leave(struct self_accept *self, const struct snapshot *snapshot, struct listener *listener)
{
        for (size_t i = 0; i < self->listener_count; i++) {
                if (self->listeners[i] != listener)
                        continue;
                unwatch(self, listener);
                for (int batches = 0; batches < BACKLOG_BATCHES; batches++)
                        if (accept_batch(self, snapshot, listener, BATCH_MAX) != 0)
                                break;
                self->listeners[i] = self->listeners[--self->listener_count];
                listener_leave(listener);
                return;
        }
}

/* ---- turn ---------------------------------------------------------------------------------------------- */

static void take_orders(struct self_accept *self, const struct snapshot *snapshot)
{
        struct accept_order order;

        while (accept_order_receive(self->orders, &order))
                switch (order.kind) {
                case ACCEPT_LISTEN:
                        listen_on(self, order.listener);
                        break;
                case ACCEPT_LEAVE:
                        leave(self, snapshot, order.listener);
                        break;
                case ACCEPT_STOP:
                        while (self->listener_count > 0)
                                leave(self, snapshot, self->listeners[0]);
                        break;
                }
}

static bool looks_again(const struct self_accept *self)
{
        return self->is_paused ||
               atomic_load_explicit(&self->admission.parts.load->under_stress, memory_order_relaxed);
}

void self_accept_look(struct self_accept *self)
{
        if (!self_accept_has_orders(self) && !looks_again(self))
                return;
        struct published *published = pin(self);
        take_orders(self, published->snapshot);
        admission_look(&self->admission, published->snapshot);
        resume_when_possible(self, published->snapshot);
        publication_unpin(published, self->worker->number);
}

bool self_accept_has_orders(const struct self_accept *self)
{
        return !channel_is_empty(self->orders);
}

int self_accept_wait_ms(const struct self_accept *self, int wait_ms)
{
        return looks_again(self) && (wait_ms < 0 || wait_ms > LOOK_AGAIN_MS) ? LOOK_AGAIN_MS : wait_ms;
}

/* ---- life ---------------------------------------------------------------------------------------------- */

static void log_by_worker(void *logger, const char *event, va_list pairs)
{
        worker_log_pairs(logger, event, pairs);
}

bool self_accept_init(struct self_accept *self, struct worker *worker, const struct admission_parts *parts)
{
        struct admission_parts own = *parts;

        own.counters = &worker->counters;
        own.log = log_by_worker;
        own.logger = worker;
        *self = (struct self_accept){.worker = worker, .orders = channels_create(1, &worker->waker)};
        admission_init(&self->admission, &own);
        return self->orders != NULL;
}

bool self_accept_order(struct self_accept *self, enum accept_order_kind kind, struct listener *listener)
{
        return accept_order_send(self->orders, kind, listener);
}

void self_accept_end(struct self_accept *self)
{
        free(self->listeners);
        free(self->orders);
}
