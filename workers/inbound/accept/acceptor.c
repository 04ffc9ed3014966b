/* The acceptor's loop. */
#include "workers/inbound/accept/acceptor.h"

#include "core/smtp/admit.h"
#include "dns/clock.h"
#include "workers/inbound/worker.h"
#include "workers/log/writer.h"
#include "workers/thread/name.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>
#include <urcu/urcu-memb.h>

#define BACKLOG_MAX     8192 /* more than the longest backlog: what comes later comes too late */
#define SHORTAGE_US     100000
#define LOOK_AGAIN_US   20000 /* while full or under stress */
#define ORDER_RETRY_US  1000
#define ORDER_WAIT_MS   2000
#define SIGNAL_OF_ORDER SIGURG /* nobody else sends it, and by default it does nothing */

/* ---- sleep --------------------------------------------------------------------------------------------- */

/* An order ends it early. */
static void nap(uint64_t us)
{
        nanosleep(&(struct timespec){.tv_nsec = (long)us * 1000}, NULL);
}

static void look_at_clock(struct acceptor *acceptor)
{
        acceptor->admission.now_ms = clock_monotonic_ms();
}

/* Only the thread itself changes this, and a socket that it shares with nobody. */
static void set_blocking(struct acceptor *acceptor, bool is_blocking)
{
        int is_nonblocking = !is_blocking;

        if (acceptor->is_blocking == is_blocking)
                return;
        expect(ioctl(acceptor->listeners[0]->fd, FIONBIO, &is_nonblocking) == 0);
        acceptor->is_blocking = is_blocking;
}

/* ---- connections --------------------------------------------------------------------------------------- */

/* False: the client is gone. */
static bool greet(const struct snapshot *snapshot, const struct arrival *arrival)
{
        char octets[1024];
        struct text line;

        text_over(&line, octets, sizeof octets);
        client_reply_write(&line, snapshot, REPLY_banner, &arrival->peer.client);
        return send(arrival->fd, line.at, line.length, MSG_NOSIGNAL) == (ssize_t)line.length;
}

/* `greets`: the banner goes out at once where nothing is due before it, so that of acceptor and worker only
 * one has to wake for it. Else the worker greets, and is told at once; to it goes also who is gone already, for
 * the log. False: memory or descriptors are out. */
static bool let_in(struct acceptor *acceptor, const struct snapshot *snapshot, struct arrival *arrival,
                   bool greets)
{
        arrival->peer.is_greeted =
            greets && client_is_greeted_at_once(snapshot, &arrival->peer) && greet(snapshot, arrival);
        if (handover_send(&acceptor->handover, arrival, acceptor->admission.now_ms))
                return true;
        admission_note_shortage(&acceptor->admission, "handover_failed", errno);
        return false;
}

enum accepted {
        ACCEPTED,
        ACCEPTED_NOBODY, /* nobody waits */
        ACCEPTED_SHORTAGE,
};

/* A connection of the listener, or -1 with errno. */
static int take_socket(const struct listener *listener, struct sockaddr_storage *ret_client)
{
        socklen_t length = sizeof *ret_client;
        return accept4(listener->fd, (struct sockaddr *)ret_client, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/* What became of take_socket(). Errors of a single connection (accept(2)) count as one, and so does the signal
 * of an order. */
static enum accepted admit(struct acceptor *acceptor, const struct snapshot *snapshot,
                           const struct listener *listener, int fd, const struct sockaddr_storage *client,
                           bool greets)
{
        struct arrival arrival;

        if (fd < 0 && errno == EAGAIN)
                return ACCEPTED_NOBODY;
        if (fd < 0 && error_is_shortage(errno)) {
                admission_note_shortage(&acceptor->admission, "accept_failed", errno);
                return ACCEPTED_SHORTAGE;
        }
        if (fd < 0 || !admission_judge(&acceptor->admission, snapshot, listener, fd,
                                       (const struct sockaddr *)client, &arrival))
                return ACCEPTED;
        return let_in(acceptor, snapshot, &arrival, greets) ? ACCEPTED : ACCEPTED_SHORTAGE;
}

/* Takes one, who may have to be waited for. */
static enum accepted accept_one(struct acceptor *acceptor, const struct listener *listener)
{
        struct sockaddr_storage client;
        int fd = take_socket(listener, &client), error = errno;

        look_at_clock(acceptor);
        struct published *published = publication_pin(acceptor->publication, acceptor->pinner);
        errno = error;
        enum accepted accepted = admit(acceptor, published->snapshot, listener, fd, &client, true);
        publication_unpin(published, acceptor->pinner);
        return accepted;
}

/* Takes up to `max` who are there, and gives their number. */
static uint32_t accept_all(struct acceptor *acceptor, const struct listener *listener, uint64_t max)
{
        struct published *published = publication_pin(acceptor->publication, acceptor->pinner);
        enum accepted accepted = ACCEPTED;
        struct sockaddr_storage client;
        uint32_t count = 0;

        while (count < max && accepted == ACCEPTED) {
                int fd = take_socket(listener, &client);
                accepted = admit(acceptor, published->snapshot, listener, fd, &client, false);
                count += accepted == ACCEPTED;
        }
        publication_unpin(published, acceptor->pinner);
        if (accepted == ACCEPTED_SHORTAGE)
                nap(SHORTAGE_US);
        return count;
}

/* ---- listeners ----------------------------------------------------------------------------------------- */

static void listen_on(struct acceptor *acceptor, struct listener *listener)
{
        size_t count = acceptor->listener_count + 1;
        struct listener **listeners = realloc(acceptor->listeners, count * sizeof(struct listener *));
        struct pollfd *polled = realloc(acceptor->polled, count * sizeof *polled);

        if (listeners != NULL)
                acceptor->listeners = listeners;
        if (polled != NULL)
                acceptor->polled = polled;
        if (listeners == NULL || polled == NULL) {
                admission_note_shortage(&acceptor->admission, "listen_failed", ENOMEM);
                listener_leave(listener);
                return;
        }
        listeners[count - 1] = listener;
        polled[count - 1] = (struct pollfd){.fd = listener->fd, .events = POLLIN};
        acceptor->listener_count = count;
}

/* Nobody who has connected is left behind, be there room or not. */
static void leave(struct acceptor *acceptor, struct listener *listener)
{
        for (size_t i = 0; i < acceptor->listener_count; i++) {
                if (acceptor->listeners[i] != listener)
                        continue;
                accept_all(acceptor, listener, BACKLOG_MAX);
                acceptor->listener_count--;
                acceptor->listeners[i] = acceptor->listeners[acceptor->listener_count];
                acceptor->polled[i] = acceptor->polled[acceptor->listener_count];
                listener_leave(listener);
                return;
        }
}

static void take_order(struct acceptor *acceptor, const struct accept_order *order)
{
        set_blocking(acceptor, false);
        switch (order->kind) {
        case ACCEPT_LISTEN:
                listen_on(acceptor, order->listener);
                break;
        case ACCEPT_LEAVE:
                leave(acceptor, order->listener);
                break;
        case ACCEPT_STOP:
                while (acceptor->listener_count > 0)
                        leave(acceptor, acceptor->listeners[0]);
                acceptor->is_stopping = true;
                break;
        }
}

/* ---- turn ---------------------------------------------------------------------------------------------- */

/* How many may be accepted now; 0: rests instead. */
static uint64_t room_or_rest(struct acceptor *acceptor)
{
        look_at_clock(acceptor);
        struct published *published = publication_pin(acceptor->publication, acceptor->pinner);
        uint64_t looked_ms = acceptor->admission.looked_ms;
        uint64_t room = 0;
        if (!acceptor->is_full || admission_may_resume(&acceptor->admission, published->snapshot))
                room = admission_room(&acceptor->admission, published->snapshot);
        if (acceptor->admission.looked_ms != looked_ms)
                handover_look(&acceptor->handover);
        publication_unpin(published, acceptor->pinner);
        acceptor->is_full = room == 0;
        if (room == 0)
                nap(LOOK_AGAIN_US);
        return room;
}

/* Blocks for one connection, or until there is an order. */
static void accept_slowly(struct acceptor *acceptor)
{
        set_blocking(acceptor, true);
        /* An order that came before the socket could block has its own way in, see acceptor_order(). */
        switch (accept_one(acceptor, acceptor->listeners[0])) {
        case ACCEPTED:
                pace_note_accept(&acceptor->pace, clock_monotonic_us());
                break;
        case ACCEPTED_NOBODY:
                break;
        case ACCEPTED_SHORTAGE:
                nap(SHORTAGE_US);
                break;
        }
}

/* The same for several listeners, none, or while the end of stress is to be seen. */
static void poll_slowly(struct acceptor *acceptor, bool is_under_stress)
{
        const struct timespec look_again = {.tv_nsec = LOOK_AGAIN_US * 1000L};

        set_blocking(acceptor, false);
        if (ppoll(acceptor->polled, acceptor->listener_count, is_under_stress ? &look_again : NULL, NULL) <=
            0)
                return;
        for (size_t i = 0; i < acceptor->listener_count; i++) {
                if (acceptor->polled[i].revents == 0)
                        continue;
                enum accepted accepted = accept_one(acceptor, acceptor->listeners[i]);
                if (accepted == ACCEPTED)
                        pace_note_accept(&acceptor->pace, clock_monotonic_us());
                if (accepted == ACCEPTED_SHORTAGE)
                        nap(SHORTAGE_US);
        }
}

static void accept_fast(struct acceptor *acceptor, uint64_t room)
{
        uint32_t count = 0;

        set_blocking(acceptor, false);
        if (!acceptor->has_more)
                nap(PACE_NAP_US);
        look_at_clock(acceptor);
        for (size_t i = 0; i < acceptor->listener_count && count < room; i++)
                count += accept_all(acceptor, acceptor->listeners[i], room - count);
        acceptor->has_more = count == room;
        pace_note_nap(&acceptor->pace, count);
}

static void acceptor_turn(struct acceptor *acceptor)
{
        struct accept_order order;

        while (accept_order_receive(acceptor->orders, &order))
                take_order(acceptor, &order);
        uint64_t room = acceptor->is_stopping ? 0 : room_or_rest(acceptor);
        if (room == 0)
                return;
        bool is_under_stress =
            atomic_load_explicit(&acceptor->admission.parts.load->under_stress, memory_order_relaxed);
        if (acceptor->pace.is_fast)
                accept_fast(acceptor, room);
        else if (acceptor->listener_count == 1 && !is_under_stress)
                accept_slowly(acceptor);
        else
                poll_slowly(acceptor, is_under_stress);
}

static void *acceptor_main(void *argument)
{
        struct acceptor *acceptor = argument;
        sigset_t order;

        thread_set_name("acceptor", acceptor->number);
        prctl(PR_SET_TIMERSLACK, 1); /* else a nap of a millisecond is a twentieth longer */
        urcu_memb_register_thread();
        sigemptyset(&order);
        sigaddset(&order, SIGNAL_OF_ORDER);
        pthread_sigmask(SIG_UNBLOCK, &order, NULL);
        while (!acceptor->is_stopping)
                acceptor_turn(acceptor);
        urcu_memb_unregister_thread();
        return NULL;
}

/* ---- life ---------------------------------------------------------------------------------------------- */

static void log_as_event(void *logger, const char *event, va_list pairs)
{
        log_pairs(logger, event, pairs);
}

bool acceptor_init(struct acceptor *acceptor, const struct acceptor_parts *parts)
{
        struct admission_parts admission = parts->admission;

        *acceptor = (struct acceptor){
            .number = parts->number,
            .pinner = parts->pinner,
            .publication = parts->publication,
            .orders = channels_create(1, NULL),
        };
        admission.counters = &acceptor->counters;
        admission.log = log_as_event;
        admission.logger = parts->log;
        admission_init(&acceptor->admission, &admission);
        return handover_init(&acceptor->handover, parts->number, parts->acceptor_count, admission.workers,
                             admission.worker_count) &&
               acceptor->orders != NULL;
}

/* It is there so that the call that it meets ends, and does not begin anew. */
static void ignore(int number)
{
        (void)number;
}

bool acceptor_start(struct acceptor *acceptor)
{
        struct sigaction action = {.sa_handler = ignore};
        sigset_t all, before;

        sigaction(SIGNAL_OF_ORDER, &action, NULL);
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        bool is_started = pthread_create(&acceptor->thread, NULL, acceptor_main, acceptor) == 0;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        return is_started;
}

/* The signal ends the call in which the acceptor sleeps. It may come just before that call: so it is sent until
 * the order has been taken, or for so long that the acceptor must be stuck. */
bool acceptor_order(struct acceptor *acceptor, enum accept_order_kind kind, struct listener *listener)
{
        if (!accept_order_send(acceptor->orders, kind, listener))
                return false;
        uint64_t until_ms = clock_monotonic_ms() + ORDER_WAIT_MS;
        while (!channel_is_empty(acceptor->orders) && clock_monotonic_ms() < until_ms) {
                pthread_kill(acceptor->thread, SIGNAL_OF_ORDER);
                nap(ORDER_RETRY_US);
        }
        return true;
}

bool acceptor_join(struct acceptor *acceptor, uint64_t until_ms)
{
        return clock_join_thread(acceptor->thread, until_ms);
}

void acceptor_end(struct acceptor *acceptor)
{
        handover_end(&acceptor->handover);
        free(acceptor->listeners);
        free(acceptor->polled);
        free(acceptor->orders);
}
