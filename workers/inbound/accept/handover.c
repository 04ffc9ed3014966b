/* Choosing a worker, and the order of the steps by which it gets a connection. */
#include "workers/inbound/accept/handover.h"

#include "workers/inbound/worker.h"

#include <errno.h>
#include <sys/epoll.h>
#include <time.h>

#define FULL_NAP_NS 1000000

bool handover_init(struct handover *handover, uint32_t number, uint32_t acceptor_count,
                   struct worker *workers, uint32_t worker_count)
{
        *handover = (struct handover){
            .number = number,
            .worker_count = worker_count,
            .acceptor_count = acceptor_count,
            .workers = workers,
            .others = calloc(worker_count, sizeof handover->others[0]),
            .random_state = UINT64_C(0x9e3779b97f4a7c15) * (number + 1),
            .serial = (uint64_t)(number + 1) << HANDOVER_SERIAL_SHIFT,
        };
        return handover->others != NULL;
}

void handover_end(struct handover *handover)
{
        free(handover->others);
}

/* ---- choice -------------------------------------------------------------------------------------------- */

void handover_look(struct handover *handover)
{
        for (uint32_t i = 0; handover->acceptor_count > 1 && i < handover->worker_count; i++) {
                uint64_t others = 0;
                for (uint32_t j = 0; j < handover->acceptor_count; j++)
                        if (j != handover->number)
                                others += counter_read(&handover->workers[i].inflows[j].assigned);
                handover->others[i] = (int64_t)others;
        }
}

static int64_t load_of(const struct handover *handover, uint32_t number)
{
        const struct worker *worker = &handover->workers[number];
        uint64_t own = counter_read(&worker->inflows[handover->number].assigned);

        return (int64_t)(own - counter_read(&worker->closed)) + handover->others[number];
}

/* xorshift: the choice need not be a secret. */
static uint32_t random_below(struct handover *handover, uint32_t bound)
{
        uint64_t x = handover->random_state;

        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        handover->random_state = x;
        return (uint32_t)((x >> 32) * bound >> 32);
}

static bool has_room(const struct handover *handover, uint32_t number)
{
        return arrival_ring_count(&handover->workers[number].inflows[handover->number].ring) <
               ARRIVAL_SLOTS - 1;
}

/* One with room in its ring. A worker whose ring is full may sleep: nobody but silent clients came to it. */
static uint32_t choose_worker(struct handover *handover)
{
        for (;;) {
                uint32_t lower = random_below(handover, handover->worker_count), higher = lower;
                if (handover->worker_count > 1)
                        higher = random_below(handover, handover->worker_count - 1);
                if (higher >= lower && handover->worker_count > 1)
                        higher++;
                if (higher < lower) {
                        uint32_t other = lower;
                        lower = higher;
                        higher = other;
                }
                bool takes_lower =
                    handover_prefers_lower(load_of(handover, lower), load_of(handover, higher));
                uint32_t first = takes_lower ? lower : higher, second = takes_lower ? higher : lower;
                if (has_room(handover, first))
                        return first;
                waker_wake(&handover->workers[first].waker);
                if (has_room(handover, second))
                        return second;
                waker_wake(&handover->workers[second].waker);
                nanosleep(&(struct timespec){.tv_nsec = FULL_NAP_NS}, NULL);
        }
}

/* ---- hand-over ----------------------------------------------------------------------------------------- */

/* Its slot is in the ring. */
static bool worker_add(const struct worker *worker, const struct arrival *arrival)
{
        struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET,
                                    .data.u64 = (uint64_t)arrival->fd};

        /* Output is possible at once: that event wakes a worker who is to greet. */
        if (!arrival->peer.is_greeted && waker_may_sleep(&worker->waker))
                event.events |= EPOLLOUT;
        return epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, arrival->fd, &event) == 0;
}

/* The worker knows the connection already, so that it is the worker's to close. */
static void drop(struct worker *worker, struct inflow *inflow, struct arrival *arrival)
{
        arrival->kind = ARRIVAL_DROP;
        while (!arrival_ring_put(&inflow->ring, arrival)) {
                waker_wake(&worker->waker);
                nanosleep(&(struct timespec){.tv_nsec = FULL_NAP_NS}, NULL);
        }
        waker_wake(&worker->waker);
}

bool handover_send(struct handover *handover, struct arrival *arrival)
{
        struct worker *worker = &handover->workers[choose_worker(handover)];
        struct inflow *inflow = &worker->inflows[handover->number];

        arrival->kind = ARRIVAL_CONNECTION;
        arrival->serial = ++handover->serial;
        /* Before the worker can count it as closed. */
        counter_add(&inflow->assigned, 1);
        expect(arrival_ring_put(&inflow->ring, arrival));
        bool is_added = worker_add(worker, arrival);
        int error = errno;
        atomic_store_explicit(&inflow->added, arrival->serial, memory_order_release);
        if (is_added)
                return true;
        drop(worker, inflow, arrival);
        errno = error;
        return false;
}
