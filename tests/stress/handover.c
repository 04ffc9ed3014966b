/* Two acceptors hand connections to three workers: whoever has an event is known by then, nobody is lost or
 * doubled, and counts agree. Then what is rare: full rings, a worker that sleeps over them, and sockets that
 * epoll does not take. */
#include "workers/inbound/worker.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ACCEPTORS   2
#define WORKERS     3
#define CONNECTIONS 20000 /* by each acceptor */
#define FD_MAX      4096
#define PATIENCE_MS 60000

static struct worker workers[WORKERS];
static struct handover handovers[ACCEPTORS];
static _Atomic bool is_over;

static void worker_open(struct worker *worker)
{
        struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = EVENT_OF_WAKER};

        worker->acceptor_count = ACCEPTORS;
        atomic_init(&worker->closed, 0);
        worker->inflows = aligned_alloc(_Alignof(struct inflow), ACCEPTORS * sizeof worker->inflows[0]);
        expect(worker->inflows != NULL && waker_open(&worker->waker));
        for (int i = 0; i < ACCEPTORS; i++)
                inflow_init(&worker->inflows[i]);
        worker->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        expect(epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, worker->waker.event_fd, &event) == 0);
}

static void worker_close(struct worker *worker)
{
        close(worker->epoll_fd);
        waker_close(&worker->waker);
        free(worker->inflows);
}

static void set_up(void)
{
        for (int i = 0; i < WORKERS; i++)
                worker_open(&workers[i]);
        for (uint32_t i = 0; i < ACCEPTORS; i++)
                expect(handover_init(&handovers[i], i, ACCEPTORS, workers, WORKERS));
}

static void tear_down(void)
{
        for (int i = 0; i < ACCEPTORS; i++)
                handover_end(&handovers[i]);
        for (int i = 0; i < WORKERS; i++)
                worker_close(&workers[i]);
}

/* ---- many ---------------------------------------------------------------------------------------------- */

/* A socket whose other end is closed already, as that of a client that has gone, or is not. */
static int make_socket(uint64_t number)
{
        int ends[2];

        while (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
                nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
        expect(ends[0] < FD_MAX && ends[1] < FD_MAX);
        if (number % 3 == 0)
                expect(write(ends[1], "x", 1) == 1);
        close(ends[1]);
        return ends[0];
}

static void *hand_over(void *argument)
{
        struct handover *handover = argument;

        for (uint64_t i = 0; i < CONNECTIONS; i++) {
                struct arrival arrival = {.fd = make_socket(i)};
                arrival.peer.is_greeted = i % 2 == 0;
                arrival.peer.accepted_ms = (uint64_t)arrival.fd; /* the worker finds both the same */
                if (i % 64 == 0)
                        handover_look(handover);
                expect(handover_send(handover, &arrival, i));
        }
        return NULL;
}

struct taken {
        uint64_t connections;
        bool is_open[FD_MAX];
};

static void take_arrivals(struct worker *worker, struct taken *taken)
{
        struct arrival arrival;

        for (uint32_t i = 0; i < ACCEPTORS; i++)
                for (size_t left = arrival_ring_count(&worker->inflows[i].ring); left > 0; left--) {
                        expect(arrival_ring_take(&worker->inflows[i].ring, &arrival));
                        expect(arrival.kind == ARRIVAL_CONNECTION && !taken->is_open[arrival.fd]);
                        expect(arrival.peer.accepted_ms == (uint64_t)arrival.fd);
                        worker->inflows[i].taken++;
                        taken->is_open[arrival.fd] = true;
                        taken->connections++;
                }
}

/* As a worker's turn: all sockets are at their end, so each has an event, and that ends it. */
static void *serve(void *argument)
{
        struct worker *worker = argument;
        struct taken *taken = calloc(1, sizeof *taken);
        struct epoll_event events[64];

        expect(taken != NULL);
        while (!atomic_load(&is_over) || taken->connections > counter_read(&worker->closed)) {
                int count = epoll_wait(worker->epoll_fd, events, 64, 20);
                take_arrivals(worker, taken);
                for (int i = 0; i < count; i++) {
                        int fd = (int)events[i].data.u64;
                        if (events[i].data.u64 == EVENT_OF_WAKER)
                                continue;
                        expect(taken->is_open[fd]);
                        taken->is_open[fd] = false;
                        close(fd);
                        counter_add(&worker->closed, 1);
                }
        }
        free(taken);
        return NULL;
}

static void check_many(void)
{
        pthread_t threads[ACCEPTORS + WORKERS];
        uint64_t closed = 0;

        set_up();
        for (int i = 0; i < WORKERS; i++)
                expect(pthread_create(&threads[ACCEPTORS + i], NULL, serve, &workers[i]) == 0);
        for (int i = 0; i < ACCEPTORS; i++)
                expect(pthread_create(&threads[i], NULL, hand_over, &handovers[i]) == 0);
        for (int i = 0; i < ACCEPTORS; i++)
                pthread_join(threads[i], NULL);
        while (workers_open(workers, WORKERS) > 0)
                nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        atomic_store(&is_over, true);
        for (int i = 0; i < WORKERS; i++) {
                pthread_join(threads[ACCEPTORS + i], NULL);
                closed += counter_read(&workers[i].closed);
                printf("worker %d: %llu connections\n", i,
                       (unsigned long long)counter_read(&workers[i].closed));
        }
        expect(closed == ACCEPTORS * CONNECTIONS);
        tear_down();
}

/* ---- full rings ---------------------------------------------------------------------------------------- */

static _Atomic uint64_t sent;

static void *fill(void *argument)
{
        int fd = *(const int *)argument;

        /* One socket for all: so it must leave each worker's epoll before it comes in anew. */
        for (uint64_t i = 0; i < WORKERS * (ARRIVAL_SLOTS - 1) + 1; i++) {
                struct arrival arrival = {.fd = fd};
                for (uint32_t j = 0; j < WORKERS; j++)
                        epoll_ctl(workers[j].epoll_fd, EPOLL_CTL_DEL, fd, NULL);
                expect(handover_send(&handovers[0], &arrival, i));
                atomic_fetch_add(&sent, 1);
        }
        return NULL;
}

/* Nobody takes anything: when all rings are full the acceptor waits, having told the workers that sleep; and
 * goes on when one of them has taken something. */
static void check_full(void)
{
        int fd = make_socket(0);
        pthread_t thread;
        struct arrival arrival;

        set_up();
        for (int i = 0; i < WORKERS; i++)
                waker_prepare(&workers[i].waker);
        expect(pthread_create(&thread, NULL, fill, &fd) == 0);
        while (atomic_load(&sent) < WORKERS * (ARRIVAL_SLOTS - 1))
                nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        for (int i = 0; i < WORKERS; i++) {
                struct pollfd woken = {.fd = workers[i].waker.event_fd, .events = POLLIN};
                expect(arrival_ring_count(&workers[i].inflows[0].ring) == ARRIVAL_SLOTS - 1);
                expect(poll(&woken, 1, PATIENCE_MS) == 1);
        }
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
        expect(atomic_load(&sent) == WORKERS * (ARRIVAL_SLOTS - 1));
        expect(arrival_ring_take(&workers[1].inflows[0].ring, &arrival));
        pthread_join(thread, NULL);
        expect(arrival_ring_count(&workers[1].inflows[0].ring) == ARRIVAL_SLOTS - 1);
        close(fd);
        tear_down();
}

/* ---- what epoll does not take -------------------------------------------------------------------------- */

/* Of a file it takes no events. The worker gets to know the connection and then that there will be none. */
static void check_drop(void)
{
        struct arrival arrival = {.fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC)}, taken, dropped;
        unsigned count = 0;

        set_up();
        expect(arrival.fd >= 0 && !handover_send(&handovers[1], &arrival, 1));
        for (int i = 0; i < WORKERS; i++) {
                if (!arrival_ring_take(&workers[i].inflows[1].ring, &taken))
                        continue;
                expect(arrival_ring_take(&workers[i].inflows[1].ring, &dropped));
                expect(taken.kind == ARRIVAL_CONNECTION && dropped.kind == ARRIVAL_DROP);
                expect(taken.fd == arrival.fd && dropped.fd == arrival.fd);
                count++;
        }
        expect(count == 1 && workers_open(workers, WORKERS) == 1);
        close(arrival.fd);
        tear_down();
}

/* Acceptors that are ahead of the workers wait for a descriptor, however many others there might be. */
static void limit_descriptors(void)
{
        struct rlimit limit;

        expect(getrlimit(RLIMIT_NOFILE, &limit) == 0);
        if (limit.rlim_cur > FD_MAX)
                limit.rlim_cur = FD_MAX;
        expect(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

int main(void)
{
        limit_descriptors();
        check_many();
        check_full();
        check_drop();
        return 0;
}
