/* The acceptor's loop. */
#include "workers/inbound/accept/acceptor.h"

#include "dns/clock.h"
#include "workers/inbound/accept/intake.h"
#include "workers/inbound/ids.h"
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

#define SHORTAGE_MIN_US 1000   /* a descriptor may be free in a moment; */
#define SHORTAGE_MAX_US 100000 /* but not for long, and nothing spins */
#define DEPARTURE_US    5000
#define LOOK_AGAIN_US   20000 /* while full */
#define ORDER_RETRY_US  1000
#define ORDER_TRIES     2000
#define SIGNAL_OF_ORDER SIGURG /* nobody else sends it, and by default it does nothing */

/* ---- sleep --------------------------------------------------------------------------------------------- */

/* An order ends it early. */
static void nap(uint64_t us)
{
        nanosleep(&(struct timespec){.tv_nsec = (long)us * 1000}, NULL);
}

/* Descriptors or memory are out. */
static void nap_for_shortage(struct acceptor *acceptor)
{
        acceptor->shortage_us = acceptor->shortage_us == 0 ? SHORTAGE_MIN_US : acceptor->shortage_us * 2;
        if (acceptor->shortage_us > SHORTAGE_MAX_US)
                acceptor->shortage_us = SHORTAGE_MAX_US;
        nap(acceptor->shortage_us);
}

static void look_at_clock(struct acceptor *acceptor)
{
        acceptor->admission.now_ms = clock_monotonic_ms();
        heartbeat_turn(&acceptor->heartbeat, acceptor->admission.now_ms);
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
                admission_note_deaf(&acceptor->admission, listener, ENOMEM);
                admission_leave(&acceptor->admission, listener);
                return;
        }
        listeners[count - 1] = listener;
        polled[count - 1] = (struct pollfd){.fd = listener->fd, .events = POLLIN};
        acceptor->listener_count = count;
}

/* False: it is left. */
static bool stays(struct acceptor *acceptor, const struct snapshot *snapshot, struct listener *listener)
{
        if (!listener_is_departing(listener))
                return true;
        set_blocking(acceptor, false);
        /* Before the queue is looked at: so that nobody comes in between. */
        enum departure departure = listener_departure(listener, acceptor->admission.now_ms);
        bool is_empty = departure == DEPARTURE_HANDED_BACK ||
                        intake_last(acceptor, snapshot, listener, departure) == ACCEPTED_NOBODY;
        if (departure != DEPARTURE_OVER && (departure == DEPARTURE_YOUNG || !is_empty))
                return true;
        admission_leave(&acceptor->admission, listener);
        return false;
}

static void forget(struct acceptor *acceptor, size_t i)
{
        acceptor->listener_count--;
        acceptor->listeners[i] = acceptor->listeners[acceptor->listener_count];
        acceptor->polled[i] = acceptor->polled[acceptor->listener_count];
}

static bool some_depart(const struct acceptor *acceptor)
{
        for (size_t i = 0; i < acceptor->listener_count; i++)
                if (listener_is_departing(acceptor->listeners[i]))
                        return true;
        return false;
}

static void see_off(struct acceptor *acceptor)
{
        struct published *published = publication_pin(acceptor->publication, acceptor->pinner);

        for (size_t i = acceptor->listener_count; i-- > 0;)
                if (!stays(acceptor, published->snapshot, acceptor->listeners[i]))
                        forget(acceptor, i);
        publication_unpin(published, acceptor->pinner);
}

static void take_order(struct acceptor *acceptor, const struct accept_order *order)
{
        switch (order->kind) {
        case ACCEPT_LISTEN:
                listen_on(acceptor, order->listener);
                break;
        case ACCEPT_LOOK:
                break;
        case ACCEPT_STOP:
                acceptor->is_stopping = true;
                break;
        }
}

/* ---- turn ---------------------------------------------------------------------------------------------- */

/* How many may be accepted now; 0: rests instead. */
static uint64_t room_or_rest(struct acceptor *acceptor)
{
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
        heartbeat_sleep(&acceptor->heartbeat);
        /* An order that came before the socket could block has its own way in, see acceptors_await(). */
        switch (intake_one(acceptor, acceptor->listeners[0])) {
        case ACCEPTED:
                pace_note_accept(&acceptor->pace, clock_monotonic_us());
                break;
        case ACCEPTED_NOBODY:
                break;
        case ACCEPTED_SHORTAGE:
                nap_for_shortage(acceptor);
                break;
        }
}

/* The same for several listeners, none, or while something else is to be seen soon. */
static void poll_slowly(struct acceptor *acceptor, bool looks_again)
{
        const struct timespec look_again = {.tv_nsec = LOOK_AGAIN_US * 1000L};

        set_blocking(acceptor, false);
        heartbeat_sleep(&acceptor->heartbeat);
        if (ppoll(acceptor->polled, acceptor->listener_count, looks_again ? &look_again : NULL, NULL) <= 0)
                return;
        for (size_t i = 0; i < acceptor->listener_count; i++) {
                if (acceptor->polled[i].revents == 0)
                        continue;
                enum accepted accepted = intake_one(acceptor, acceptor->listeners[i]);
                if (accepted == ACCEPTED)
                        pace_note_accept(&acceptor->pace, clock_monotonic_us());
                if (accepted == ACCEPTED_SHORTAGE)
                        nap_for_shortage(acceptor);
        }
}

static void accept_fast(struct acceptor *acceptor, uint64_t room)
{
        enum accepted last = ACCEPTED;
        uint32_t count = 0;

        set_blocking(acceptor, false);
        if (!acceptor->has_more)
                nap(PACE_NAP_US);
        look_at_clock(acceptor);
        for (size_t i = 0; i < acceptor->listener_count && count < room && last != ACCEPTED_SHORTAGE; i++)
                count += intake_all(acceptor, acceptor->listeners[i], room - count, &last);
        if (last == ACCEPTED_SHORTAGE)
                nap_for_shortage(acceptor);
        acceptor->has_more = count == room;
        pace_note_nap(&acceptor->pace, count);
}

/* The clock may have stood still as long as the acceptor slept. */
static void take_orders(struct acceptor *acceptor)
{
        struct accept_order order;

        look_at_clock(acceptor);
        while (accept_order_receive(acceptor->orders, &order)) {
                set_blocking(acceptor, false);
                take_order(acceptor, &order);
        }
        if (some_depart(acceptor))
                see_off(acceptor);
}

static void acceptor_turn(struct acceptor *acceptor)
{
        take_orders(acceptor);
        if (acceptor->is_stopping) {
                nap(DEPARTURE_US);
                return;
        }
        uint64_t room = room_or_rest(acceptor);
        if (room == 0)
                return;
        bool looks_again = some_depart(acceptor);
        if (acceptor->pace.is_fast)
                accept_fast(acceptor, room);
        else if (acceptor->listener_count == 1 && !looks_again)
                accept_slowly(acceptor);
        else
                poll_slowly(acceptor, looks_again);
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
        while (!acceptor->is_stopping || acceptor->listener_count > 0)
                acceptor_turn(acceptor);
        heartbeat_sleep(&acceptor->heartbeat);
        urcu_memb_unregister_thread();
        return NULL;
}

/* ---- life ---------------------------------------------------------------------------------------------- */

static void log_as_event(void *logger, const char *event, va_list pairs)
{
        log_pairs(logger, event, pairs);
}

/* As givers of ids acceptors come behind the workers, of whom there are 120 at most. */
static bool init_ids(struct acceptor *acceptor, const struct id_key *key, uint32_t id_lane)
{
        return ids_init(&acceptor->host.ids, key, 120 + acceptor->number % 8,
                        ids_begin(acceptor->number / 8, id_lane));
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
        acceptor->host.counters = &acceptor->counters;
        admission.counters = &acceptor->counters;
        admission.host = &acceptor->host;
        admission.host_is_own = true;
        admission.log = log_as_event;
        admission.logger = parts->log;
        admission_init(&acceptor->admission, &admission);
        return handover_init(&acceptor->handover, parts->number, parts->acceptor_count, admission.workers,
                             admission.worker_count) &&
               init_ids(acceptor, parts->id_key, parts->id_lane) && acceptor->orders != NULL;
}

/* It is there so that the call that it meets ends, and does not begin anew. */
static void ignore(int number)
{
        (void)number;
}

/* All signals are for other threads, but for that of the sandbox: the kernel ends the process where it is blocked. */
bool acceptor_start(struct acceptor *acceptor)
{
        struct sigaction action = {.sa_handler = ignore};
        sigset_t all, before;

        sigaction(SIGNAL_OF_ORDER, &action, NULL);
        sigfillset(&all);
        sigdelset(&all, SIGSYS);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        bool is_started = pthread_create(&acceptor->thread, NULL, acceptor_main, acceptor) == 0;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        return is_started;
}

bool acceptor_order(struct acceptor *acceptor, enum accept_order_kind kind, struct listener *listener)
{
        return accept_order_send(acceptor->orders, kind, listener);
}

/* True when all have taken theirs. The signal ends the call in which an acceptor sleeps. It may come just before
 * that call: so it is sent until the order has been taken. */
static bool signal_orders(struct acceptor *acceptors, uint32_t count)
{
        bool are_taken = true;

        for (uint32_t i = 0; i < count; i++) {
                if (channel_is_empty(acceptors[i].orders))
                        continue;
                pthread_kill(acceptors[i].thread, SIGNAL_OF_ORDER);
                are_taken = false;
        }
        return are_taken;
}

/* Tries are counted, and no time: where the machine stands still, that is no reason to leave one asleep for ever. */
void acceptors_await(struct acceptor *acceptors, uint32_t count)
{
        for (int tries = 0; tries < ORDER_TRIES && !signal_orders(acceptors, count); tries++)
                nap(ORDER_RETRY_US);
}

bool acceptor_join(struct acceptor *acceptor, uint64_t until_ms)
{
        return clock_join_thread(acceptor->thread, until_ms);
}

void acceptor_end(struct acceptor *acceptor)
{
        handover_end(&acceptor->handover);
        admission_end(&acceptor->admission);
        free(acceptor->listeners);
        free(acceptor->polled);
        free(acceptor->orders);
        ids_end(&acceptor->host.ids);
}
