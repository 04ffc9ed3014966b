/* Listeners in a worker's loop. */
#include "workers/inbound/accept/self_accept.h"

#include "workers/inbound/worker_log.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#define BATCH_MAX       64
#define BACKLOG_BATCHES 128 /* more than the longest backlog: what comes later comes too late */
#define SHORTAGE_MIN_MS 1   /* pause when descriptors or memory are out, */
#define SHORTAGE_MAX_MS 100 /* longer each time */
#define LOOK_AGAIN_MS   20  /* while full */

/* ---- pause --------------------------------------------------------------------------------------------- */

static void watch(struct self_accept *self, struct watched *watched)
{
        struct listener *listener = watched->listener;
        struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE,
                                    .data.u64 = EVENT_OF_LISTENER | (uintptr_t)listener};

        if (watched->is_in_epoll)
                return;
        watched->is_in_epoll = epoll_ctl(self->worker->epoll_fd, EPOLL_CTL_ADD, listener->fd, &event) == 0;
        if (!watched->is_in_epoll)
                admission_note_deaf(&self->admission, listener, errno);
}

static void unwatch(struct self_accept *self, struct watched *watched)
{
        if (watched->is_in_epoll)
                epoll_ctl(self->worker->epoll_fd, EPOLL_CTL_DEL, watched->listener->fd, NULL);
        watched->is_in_epoll = false;
}

static void pause_for(struct self_accept *self, uint64_t pause_ms)
{
        for (size_t i = 0; i < self->listener_count; i++)
                unwatch(self, &self->watched[i]);
        self->is_paused = true;
        self->look_again_ms = self->worker->host.now_ms + pause_ms;
}

static void pause_for_shortage(struct self_accept *self)
{
        pause_for(self, self->shortage_ms);
        self->shortage_ms *= 2;
        if (self->shortage_ms > SHORTAGE_MAX_MS)
                self->shortage_ms = SHORTAGE_MAX_MS;
}

/* Where epoll takes one of them only later it is paused still, as to that one. */
static void watch_all(struct self_accept *self)
{
        self->is_paused = false;
        for (size_t i = 0; i < self->listener_count; i++) {
                watch(self, &self->watched[i]);
                self->is_paused = self->is_paused || !self->watched[i].is_in_epoll;
        }
}

static void resume_when_possible(struct self_accept *self, const struct snapshot *snapshot)
{
        if (!self->is_paused || self->worker->host.now_ms < self->look_again_ms)
                return;
        self->look_again_ms = self->worker->host.now_ms + LOOK_AGAIN_MS;
        if (admission_may_resume(&self->admission, snapshot))
                watch_all(self);
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
        self->shortage_ms = SHORTAGE_MIN_MS;
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
        pause_for_shortage(self);
}

static struct published *pin(struct self_accept *self)
{
        self->admission.now_ms = self->worker->host.now_ms;
        return publication_pin(self->worker->publication, self->worker->number);
}

void self_accept_event(struct self_accept *self, struct listener *listener, uint64_t max)
{
        struct published *published = pin(self);
        accept_within(self, published->snapshot, listener, max < BATCH_MAX ? max : BATCH_MAX);
        publication_unpin(published, self->worker->number);
}

static void listen_on(struct self_accept *self, struct listener *listener)
{
        struct watched *longer = realloc(self->watched, (self->listener_count + 1) * sizeof self->watched[0]);

        if (longer == NULL) {
                admission_note_deaf(&self->admission, listener, ENOMEM);
                admission_leave(&self->admission, listener);
                return;
        }
        self->watched = longer;
        self->watched[self->listener_count++] = (struct watched){.listener = listener};
        if (!self->is_paused)
                watch_all(self);
        if (self->is_paused && self->look_again_ms <= self->worker->host.now_ms)
                self->look_again_ms = self->worker->host.now_ms + LOOK_AGAIN_MS;
}

/* Nobody who has connected is left behind, be there room or not. True when the queue is empty. */
static bool drain(struct self_accept *self, const struct snapshot *snapshot, const struct listener *listener,
                  enum departure departure)
{
        enum accepted accepted = ACCEPTED;

        if (!self->is_stopping && departure < DEPARTURE_LATE) {
                int error = 0;
                for (int batches = 0; batches < BACKLOG_BATCHES && error == 0; batches++)
                        error = accept_batch(self, snapshot, listener, BATCH_MAX);
                return error == EAGAIN;
        }
        for (int count = 0; count < BACKLOG_BATCHES * BATCH_MAX && accepted == ACCEPTED; count++)
                accepted = admission_turn_away(&self->admission, snapshot, listener);
        return accepted == ACCEPTED_NOBODY;
}

/* Other workers may see it off as well: whoever is the last closes. False: it is left. */
static bool stays(struct self_accept *self, const struct snapshot *snapshot, struct watched *watched)
{
        struct listener *listener = watched->listener;

        if (!listener_is_departing(listener))
                return true;
        /* Before the queue is looked at: so that nobody comes in between. */
        enum departure departure = listener_departure(listener, self->worker->host.now_ms);
        bool is_empty = departure == DEPARTURE_HANDED_BACK || drain(self, snapshot, listener, departure);
        if (departure != DEPARTURE_OVER && (departure == DEPARTURE_YOUNG || !is_empty))
                return true;
        unwatch(self, watched);
        admission_leave(&self->admission, listener);
        return false;
}

static void see_off(struct self_accept *self, const struct snapshot *snapshot)
{
        for (size_t i = self->listener_count; i-- > 0;)
                if (!stays(self, snapshot, &self->watched[i]))
                        self->watched[i] = self->watched[--self->listener_count];
}

static bool some_depart(const struct self_accept *self)
{
        for (size_t i = 0; i < self->listener_count; i++)
                if (listener_is_departing(self->watched[i].listener))
                        return true;
        return false;
}

/* ---- turn ---------------------------------------------------------------------------------------------- */

static void take_orders(struct self_accept *self)
{
        struct accept_order order;

        while (accept_order_receive(self->orders, &order))
                switch (order.kind) {
                case ACCEPT_LISTEN:
                        listen_on(self, order.listener);
                        break;
                case ACCEPT_LOOK:
                        break;
                case ACCEPT_STOP:
                        self->is_stopping = true;
                        break;
                }
}

static bool looks_again(const struct self_accept *self)
{
        return self->is_paused || some_depart(self);
}

void self_accept_look(struct self_accept *self)
{
        if (!self_accept_has_orders(self) && !looks_again(self))
                return;
        struct published *published = pin(self);
        take_orders(self);
        see_off(self, published->snapshot);
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
        uint64_t now_ms = self->worker->host.now_ms;
        int most_ms = LOOK_AGAIN_MS;

        if (!looks_again(self))
                return wait_ms;
        if (self->is_paused && self->look_again_ms < now_ms + LOOK_AGAIN_MS)
                most_ms = self->look_again_ms > now_ms ? (int)(self->look_again_ms - now_ms) : 1;
        return wait_ms < 0 || wait_ms > most_ms ? most_ms : wait_ms;
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
        own.host = &worker->host;
        own.log = log_by_worker;
        own.logger = worker;
        *self = (struct self_accept){
            .worker = worker, .orders = channels_create(1, &worker->waker), .shortage_ms = SHORTAGE_MIN_MS};
        admission_init(&self->admission, &own);
        return self->orders != NULL;
}

bool self_accept_order(struct self_accept *self, enum accept_order_kind kind, struct listener *listener)
{
        return accept_order_send(self->orders, kind, listener);
}

void self_accept_end(struct self_accept *self)
{
        admission_end(&self->admission);
        free(self->watched);
        free(self->orders);
}
