/* The generator's threads: when sessions begin, and when all is over. */
#include "bench/load/internal.h"

#include "bench/common.h"

#include <math.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_PER_TURN 256
/* So often a thread looks at the phase and at time-outs. */
#define WAIT_MAX_NS 100000000
/* First sessions begin so far apart that they overflow nobody's backlog, but all within START_MAX_NS. */
#define START_GAP_NS 500000
#define START_MAX_NS 2000000000
/* A thread that has seen more of them ends: the server is beyond help. */
#define FAILURES_MAX 50

uint64_t load_random(struct load_thread *thread)
{
        uint64_t x = thread->random_state;

        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        return thread->random_state = x;
}

/* ---- beginnings ---------------------------------------------------------------------------------------- */

/* Clients are independent of each other, so the distances of their arrivals are exponential. */
static void plan_next_arrival(struct load_thread *thread)
{
        const struct load *load = thread->load;
        double gap_ns = 1e9 * load->thread_count / load->plan.rate;
        double uniform = (double)(load_random(thread) >> 11) / (double)(1ull << 53);

        thread->next_arrival_ns += (uint64_t)(-log(1 - uniform) * gap_ns);
}

static uint64_t start_gap_ns(const struct load *load)
{
        uint64_t concurrency = load->plan.concurrency;

        if (load->plan.is_at_once)
                return 0;
        return START_GAP_NS * concurrency > START_MAX_NS ? START_MAX_NS / concurrency : START_GAP_NS;
}

static bool may_begin(struct load *load)
{
        if (atomic_load_explicit(&load->phase, memory_order_relaxed) == LOAD_STOP)
                return false;
        return load->sessions_left == INT64_MAX || atomic_fetch_sub(&load->sessions_left, 1) > 0;
}

/* Begins the sessions that are due. `started` is how many clients have had their first session. */
static void begin_sessions(struct load_thread *thread, unsigned *started, uint64_t now_ns)
{
        struct load *load = thread->load;
        bool is_open_loop = load->plan.rate > 0;

        for (unsigned i = thread->unused_count; i > 0; i--) {
                bool is_first = !is_open_loop && *started < thread->client_count;
                bool is_due = thread->next_arrival_ns <= now_ns;
                bool is_again = !is_open_loop && thread->unused_count > thread->client_count - *started;
                if ((!is_again && !((is_open_loop || is_first) && is_due)) || !may_begin(load))
                        return;
                struct client *client = &thread->clients[thread->unused[--thread->unused_count]];
                if (!client_begin(thread, client, is_open_loop ? thread->next_arrival_ns : bench_now_ns()))
                        bench_fail("no descriptor for another client");
                if (is_open_loop)
                        plan_next_arrival(thread);
                else if (!is_again) {
                        ++*started;
                        thread->next_arrival_ns += start_gap_ns(load) * load->thread_count;
                }
        }
}

/* ---- turn ---------------------------------------------------------------------------------------------- */

static void time_out_clients(struct load_thread *thread, uint64_t now_ns)
{
        for (unsigned i = 0; i < thread->client_count; i++) {
                struct client *client = &thread->clients[i];
                if (client->fd >= 0 && now_ns > client->step_ns &&
                    now_ns - client->step_ns > thread->load->plan.timeout_ns)
                        client_time_out(thread, client);
        }
}

static void go_on_paused(struct load_thread *thread, uint64_t now_ns)
{
        struct client *client;

        while ((client = load_paused_first(thread)) != NULL && client->step_ns <= now_ns) {
                load_unpause(thread, client);
                client_go_on(thread, client);
        }
}

static void load_turn(struct load_thread *thread, uint64_t now_ns)
{
        struct epoll_event events[EVENTS_PER_TURN];
        uint64_t wait_ns = WAIT_MAX_NS;

        const struct client *paused = load_paused_first(thread);
        uint64_t next_ns = thread->unused_count > 0 ? thread->next_arrival_ns : UINT64_MAX;
        if (paused != NULL && paused->step_ns < next_ns)
                next_ns = paused->step_ns;
        if (next_ns < now_ns + WAIT_MAX_NS)
                wait_ns = next_ns > now_ns ? next_ns - now_ns : 0;
        struct timespec wait = {.tv_nsec = (long)wait_ns};
        int count = epoll_pwait2(thread->epoll_fd, events, EVENTS_PER_TURN, &wait, NULL);
        for (int i = 0; i < count; i++)
                client_event(thread, events[i].data.ptr, events[i].events, bench_now_ns());
}

static bool no_more_begin(struct load *load)
{
        return atomic_load_explicit(&load->phase, memory_order_relaxed) == LOAD_STOP ||
               atomic_load_explicit(&load->sessions_left, memory_order_relaxed) <= 0;
}

static bool is_over(const struct load_thread *thread)
{
        return (no_more_begin(thread->load) && thread->unused_count == thread->client_count) ||
               atomic_load_explicit(&thread->failures, memory_order_relaxed) > FAILURES_MAX;
}

static void *load_main(void *argument)
{
        struct load_thread *thread = argument;
        uint64_t now_ns = bench_now_ns(), looked_ns = now_ns;
        unsigned started = 0;

        while (!is_over(thread)) {
                begin_sessions(thread, &started, now_ns);
                go_on_paused(thread, now_ns);
                load_turn(thread, now_ns);
                now_ns = bench_now_ns();
                if (now_ns - looked_ns > WAIT_MAX_NS) {
                        time_out_clients(thread, now_ns);
                        looked_ns = now_ns;
                }
                /* Nothing is due by time any more. */
                if ((thread->load->plan.rate == 0 && started == thread->client_count) ||
                    no_more_begin(thread->load))
                        thread->next_arrival_ns = UINT64_MAX;
        }
        atomic_store(&thread->has_ended, true);
        return NULL;
}

/* ---- life ---------------------------------------------------------------------------------------------- */

static void thread_start(struct load *load, unsigned number)
{
        struct load_thread *thread = &load->threads[number];
        unsigned count = load->plan.concurrency / load->thread_count +
                         (number < load->plan.concurrency % load->thread_count);

        thread->load = load;
        thread->number = number;
        thread->random_state = bench_now_ns() * 2654435761u + number + 1;
        thread->client_count = thread->unused_count = count;
        thread->clients = calloc(count, sizeof thread->clients[0]);
        thread->unused = calloc(count, sizeof thread->unused[0]);
        thread->paused = calloc(count, sizeof(struct client *));
        thread->flight = malloc(load->plan.workload->flight_max + 1);
        thread->figures = calloc(1, sizeof *thread->figures);
        thread->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        expect(thread->clients != NULL && thread->unused != NULL && thread->paused != NULL &&
               thread->flight != NULL && thread->figures != NULL && thread->epoll_fd >= 0);
        if (load->plan.workload->has_tls)
                secure_open(thread);
        for (unsigned i = 0; i < count; i++) {
                thread->clients[i].fd = -1;
                thread->unused[i] = i;
        }
        thread->next_arrival_ns = load->start_ns + number * start_gap_ns(load);
        expect(pthread_create(&thread->thread, NULL, load_main, thread) == 0);
}

struct load *load_start(const struct load_plan *plan, uint64_t sessions_max)
{
        unsigned threads = plan->threads < plan->concurrency ? plan->threads : plan->concurrency;
        struct load *load = calloc(1, sizeof *load + threads * sizeof load->threads[0]);

        expect(load != NULL && threads > 0);
        bench_raise_descriptors(plan->concurrency);
        load->plan = *plan;
        load->thread_count = threads;
        load->sessions_left = sessions_max == 0 ? INT64_MAX : (int64_t)sessions_max;
        load->phase = sessions_max == 0 ? LOAD_START : LOAD_MEASURE;
        load->start_ns = bench_now_ns();
        for (unsigned i = 0; i < threads; i++)
                thread_start(load, i);
        return load;
}

void load_measure(struct load *load)
{
        atomic_store(&load->phase, LOAD_MEASURE);
}

void load_stop(struct load *load)
{
        atomic_store(&load->phase, LOAD_STOP);
}

uint64_t load_sessions(struct load *load)
{
        uint64_t sessions = 0;
        for (unsigned i = 0; i < load->thread_count; i++)
                sessions += atomic_load_explicit(&load->threads[i].sessions, memory_order_relaxed);
        return sessions;
}

uint64_t load_failures(struct load *load)
{
        uint64_t failures = 0;
        for (unsigned i = 0; i < load->thread_count; i++)
                failures += atomic_load_explicit(&load->threads[i].failures, memory_order_relaxed);
        return failures;
}

bool load_is_finished(struct load *load)
{
        for (unsigned i = 0; i < load->thread_count; i++)
                if (!atomic_load(&load->threads[i].has_ended))
                        return false;
        return true;
}

static void merge(struct load_figures *into, const struct load_figures *from)
{
        for (unsigned i = 0; i < CODES; i++)
                into->codes[i] += from->codes[i];
        for (unsigned i = 0; i < SAMPLES_MAX; i++)
                if (into->samples[i][0] == '\0')
                        memcpy(into->samples[i], from->samples[i], SAMPLE_SIZE);
        histogram_merge(&into->session, &from->session);
        for (unsigned i = 0; i < SCENARIOS_MAX; i++)
                for (unsigned j = 0; j < STEPS_MAX; j++)
                        histogram_merge(&into->steps[i][j], &from->steps[i][j]);
}

static void thread_end(struct load_thread *thread)
{
        pthread_join(thread->thread, NULL);
        for (unsigned i = 0; i < thread->client_count; i++)
                if (thread->clients[i].fd >= 0) {
                        if (thread->clients[i].ssl != NULL)
                                secure_end(&thread->clients[i]);
                        close(thread->clients[i].fd);
                        free(thread->clients[i].unsent);
                }
        secure_close(thread);
        close(thread->epoll_fd);
        free(thread->clients);
        free(thread->unused);
        free(thread->paused);
        free(thread->flight);
}

struct load_figures *load_join(struct load *load)
{
        struct load_figures *all = calloc(1, sizeof *all);

        expect(all != NULL);
        for (unsigned i = 0; i < load->thread_count; i++) {
                thread_end(&load->threads[i]);
                merge(all, load->threads[i].figures);
                free(load->threads[i].figures);
        }
        all->sessions = load_sessions(load);
        all->failures = load_failures(load);
        free(load);
        return all;
}
