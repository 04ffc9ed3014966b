/* The loop of a hop thread, and its life. */
#include "workers/hop/internal.h"

#include "dns/clock.h"
#include "workers/thread/name.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <urcu/urcu-memb.h>

#define EVENTS_PER_TURN   64
#define RETRY_MS          1 /* reports that found no room */
#define GIVE_BACK_LOOK_MS 50

void hop_settings_read(struct hop_settings *settings, const struct options *options, uint32_t threads,
                       SSL_CTX *tls)
{
        uint64_t waiting = (options->next_hops_waiting_max + threads - 1) / threads;

        *settings = (struct hop_settings){
            .naming = options->next_hops_naming,
            .starttls = options->next_hops_tls,
            .tls = tls,
            .threads = threads,
            .connections_max = (uint32_t)options->next_hops_connections_max,
            .waiting_max = (uint32_t)waiting,
            .transactions_max = (uint32_t)options->next_hops_transactions_max,
            .failures_max = (uint32_t)options->next_hops_failures_max,
            .connect_ms = options->next_hops_connect_timeout_ms,
            .open_ms = options->next_hops_open_timeout_ms,
            .idle_ms = options->next_hops_idle_timeout_ms,
            .retry_ms = options->next_hops_retry_after_ms,
            .callouts_max = (uint32_t)((options->next_hops_callouts_max + threads - 1) / threads),
            .callout_ms = options->next_hops_callout_timeout_ms,
            .acceptances_ms = options->next_hops_acceptances_kept_ms,
            .refusals_ms = options->next_hops_refusals_kept_ms,
            .partings_ms = options->next_hops_partings_kept_ms,
        };
        span_copy_cut(span_from(options->hostname), settings->hostname, sizeof settings->hostname);
        for (size_t i = 0; i < HOP_PATIENCES; i++) {
                uint64_t command_ms = options->next_hops_command_timeout_ms;
                settings->patience_ms[i] =
                    hop_patience_most_ms[i] < command_ms ? hop_patience_most_ms[i] : command_ms;
        }
        settings->patience_ms[HOP_PATIENCE_block] = options->next_hops_text_timeout_ms;
        settings->patience_ms[HOP_PATIENCE_dot] = options->next_hops_dot_timeout_ms;
        settings->patience_ms[HOP_PATIENCE_answers] = hop_patience_most_ms[HOP_PATIENCE_answers];
        settings->patience_ms[HOP_PATIENCE_transaction] = hop_patience_most_ms[HOP_PATIENCE_transaction];
}

/* ---- turn ---------------------------------------------------------------------------------------------- */

static struct hop_settings *settings_copy(const struct hop_settings *settings)
{
        struct hop_settings *copy = malloc(sizeof *copy);

        if (copy == NULL)
                return NULL;
        *copy = *settings;
        if (copy->tls != NULL)
                SSL_CTX_up_ref(copy->tls);
        return copy;
}

static void settings_free(struct hop_settings *settings)
{
        if (settings != NULL)
                SSL_CTX_free(settings->tls);
        free(settings);
}

/* Handshakes that are to begin use the new certificates; those under way hold the former ones. */
static void take_settings(struct hop_thread *thread)
{
        struct hop_settings *next = atomic_exchange(&thread->next_settings, NULL);

        if (next == NULL)
                return;
        SSL_CTX *former = thread->settings.tls;
        thread->settings = *next;
        next->tls = former;
        settings_free(next);
}

static void take_jobs(struct hop_thread *thread)
{
        for (uint32_t i = 0; i < thread->worker_count; i++) {
                struct transfer_job *job;
                while ((job = (struct transfer_job *)channel_receive(&thread->jobs[i])) != NULL)
                        courier_take(thread, job, i);
        }
}

static void take_deliveries(struct hop_thread *thread)
{
        struct journal_delivery *delivery;

        while ((delivery = (struct journal_delivery *)channel_receive(thread->deliveries)) != NULL)
                drained_begin(thread, delivery);
        if (atomic_load(&thread->gives_back))
                drained_give_back(thread);
}

static void take_time_outs(struct hop_thread *thread)
{
        struct timer *timer;

        while ((timer = wheel_expire(&thread->wheel, thread->now_ms)) != NULL)
                hop_connection_tick(thread, (struct hop_connection *)timer);
}

/* Looked at again between the announcement of a sleep and the sleep: whoever wakes before that is not heard. */
static bool has_work(const struct hop_thread *thread)
{
        if (atomic_load(&thread->gives_back) && thread->given_back_ms == 0)
                return true;
        for (uint32_t i = 0; i < thread->worker_count; i++)
                if (!channel_is_empty(&thread->jobs[i]))
                        return true;
        if (thread->dns != NULL && dns_client_has_answers(thread->dns))
                return true;
        return !channel_is_empty(thread->deliveries) || atomic_load(&thread->next_settings) != NULL;
}

static bool flush_reports(struct hop_thread *thread)
{
        bool is_all = thread->returns == NULL || channel_flush(thread->returns);

        for (uint32_t i = 0; i < thread->worker_count; i++)
                is_all &= channel_flush(thread->reports[i]);
        return is_all;
}

/* How long epoll may sleep; announces the sleep. */
static int prepare_sleep(struct hop_thread *thread, bool is_all_sent)
{
        int wait_ms = wheel_wait_ms(&thread->wheel, thread->now_ms);
        int courier_ms = courier_wait_ms(thread);

        if (courier_ms >= 0 && (wait_ms < 0 || courier_ms < wait_ms))
                wait_ms = courier_ms;
        if (thread->given_back_ms != 0 && thread->drained_count > 0 &&
            (wait_ms < 0 || wait_ms > GIVE_BACK_LOOK_MS))
                wait_ms = GIVE_BACK_LOOK_MS;
        if (!is_all_sent)
                wait_ms = RETRY_MS;
        waker_prepare(&thread->waker);
        if (!has_work(thread) && !atomic_load(&thread->is_stopping))
                return wait_ms;
        waker_stay_awake(&thread->waker);
        return has_work(thread) || wait_ms == 0 ? 0 : RETRY_MS;
}

static void turn(struct hop_thread *thread, int wait_ms)
{
        struct epoll_event events[EVENTS_PER_TURN];
        uint64_t count;

        int ready = epoll_wait(thread->epoll_fd, events, EVENTS_PER_TURN, wait_ms);
        waker_stay_awake(&thread->waker);
        expect(ready >= 0 || errno == EINTR);
        thread->now_ms = clock_monotonic_ms();
        take_settings(thread);
        for (int i = 0; i < ready; i++) {
                if (events[i].data.ptr != NULL)
                        hop_connection_event(thread, events[i].data.ptr, events[i].events);
                else
                        expect(read(thread->waker.event_fd, &count, sizeof count) == sizeof count);
        }
        take_jobs(thread);
        targets_take_answers(thread);
        take_deliveries(thread);
        take_time_outs(thread);
        do {
                courier_look(thread);
                targets_serve(thread);
        } while (!TAILQ_EMPTY(&thread->seeking));
        hop_count_now(thread);
        hop_connections_free_dead(thread);
}

static void *thread_main(void *argument)
{
        struct hop_thread *thread = argument;
        int wait_ms = 0;

        thread_set_name("hop", thread->number);
        urcu_memb_register_thread(); /* it reads the cache of DNS, and writes what is remembered */
        for (;;) {
                bool is_stopping = atomic_load(&thread->is_stopping);
                turn(thread, wait_ms);
                bool is_all_sent = flush_reports(thread);
                if (is_stopping && is_all_sent && TAILQ_EMPTY(&thread->transfers) && !has_work(thread))
                        break;
                wait_ms = prepare_sleep(thread, is_all_sent);
        }
        hop_connections_end(thread);
        urcu_memb_unregister_thread();
        return NULL;
}

/* ---- life ---------------------------------------------------------------------------------------------- */

static bool watch_waker(struct hop_thread *thread)
{
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};

        thread->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        return thread->epoll_fd >= 0 && waker_open(&thread->waker) &&
               epoll_ctl(thread->epoll_fd, EPOLL_CTL_ADD, thread->waker.event_fd, &event) == 0;
}

bool hop_thread_init(struct hop_thread *thread, const struct hop_thread_parts *parts)
{
        char *out = malloc(HOP_OUT_SIZE);

        *thread = (struct hop_thread){.number = parts->number,
                                      .worker_count = parts->worker_count,
                                      .log = parts->log,
                                      .account = {.budget = parts->budget},
                                      .settings = *parts->settings,
                                      .now_ms = clock_monotonic_ms(),
                                      .random = clock_monotonic_us() + parts->number,
                                      .waker = {.event_fd = -1},
                                      .epoll_fd = -1};
        if (thread->settings.tls != NULL)
                SSL_CTX_up_ref(thread->settings.tls);
        LIST_INIT(&thread->targets);
        TAILQ_INIT(&thread->transfers);
        TAILQ_INIT(&thread->openings);
        TAILQ_INIT(&thread->callouts);
        TAILQ_INIT(&thread->seeking);
        TAILQ_INIT(&thread->dead);
        TAILQ_INIT(&thread->connections);
        wheel_init(&thread->wheel, thread->now_ms);
        text_over(&thread->out, out, HOP_OUT_SIZE);
        thread->input = malloc(HOP_INPUT_SIZE);
        thread->jobs = channels_create(thread->worker_count, &thread->waker);
        thread->reports = calloc(thread->worker_count, sizeof(struct channel *));
        thread->deliveries = channels_create(1, &thread->waker);
        bool has_tls = tls_buffers_init(&thread->tls);
        block_pool_init(&thread->dns_memory, 4096, 4);
        bool is_open = has_tls && watch_waker(thread) && thread->deliveries != NULL && out != NULL &&
                       thread->input != NULL && thread->jobs != NULL && thread->reports != NULL;
        if (is_open && parts->dns_pool != NULL)
                thread->dns = dns_pool_client(parts->dns_pool, parts->dns_client, thread->waker.event_fd,
                                              &thread->waker.is_asleep);
        return is_open;
}

void hop_thread_connect(struct hop_thread *thread, uint32_t worker, struct channel *reports)
{
        thread->reports[worker] = reports;
}

void hop_thread_connect_journal(struct hop_thread *thread, struct channel *returns,
                                struct publication *publication, size_t pinner)
{
        thread->returns = returns;
        thread->publication = publication;
        thread->pinner = pinner;
}

void hop_thread_remember(struct hop_thread *thread, const struct remembered *remembered)
{
        thread->remembered = remembered;
}

bool hop_thread_start(struct hop_thread *thread)
{
        return pthread_create(&thread->thread, NULL, thread_main, thread) == 0;
}

bool hop_thread_set(struct hop_thread *thread, const struct hop_settings *settings)
{
        struct hop_settings *copy = settings_copy(settings);

        if (copy == NULL)
                return false;
        settings_free(atomic_exchange(&thread->next_settings, copy));
        waker_wake(&thread->waker);
        return true;
}

void hop_thread_give_back(struct hop_thread *thread)
{
        atomic_store(&thread->gives_back, true);
        waker_wake(&thread->waker);
}

void hop_thread_stop(struct hop_thread *thread)
{
        atomic_store(&thread->is_stopping, true);
        waker_wake(&thread->waker);
}

bool hop_thread_join(struct hop_thread *thread, uint64_t until_ms)
{
        return clock_join_thread(thread->thread, until_ms);
}

static void end_targets(struct hop_thread *thread)
{
        struct hop_target *target;

        while ((target = LIST_FIRST(&thread->targets)) != NULL)
                target_free(target);
}

void hop_thread_end(struct hop_thread *thread)
{
        end_targets(thread);
        waker_close(&thread->waker);
        if (thread->epoll_fd >= 0)
                close(thread->epoll_fd);
        block_pool_end(&thread->dns_memory);
        settings_free(atomic_exchange(&thread->next_settings, NULL));
        SSL_CTX_free(thread->settings.tls);
        tls_buffers_end(&thread->tls);
        free(thread->out.at);
        free(thread->input);
        free(thread->jobs);
        free(thread->reports);
        free(thread->deliveries);
}
