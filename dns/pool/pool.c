/* Life of the pool, and what its owner may do with it. */
#include "dns/pool/internal.h"

#include "dns/clock.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BLOCK_OCTETS 4096

static struct upstream_news *news_create(const struct endpoint *upstreams, size_t count)
{
        struct upstream_news *news = calloc(1, sizeof *news);
        if (news == NULL)
                return NULL;
        news->count = count > DNS_UPSTREAMS_MAX ? DNS_UPSTREAMS_MAX : count;
        for (size_t i = 0; i < news->count; i++)
                news->endpoints[i] = upstreams[i];
        return news;
}

/* ---- threads ------------------------------------------------------------------------------------------- */

static bool thread_prepare(struct dns_pool *pool, struct dns_thread *thread, uint32_t number)
{
        thread->pool = pool;
        thread->number = number;
        query_list_init(&thread->done);
        places_init(&thread->places);
        thread->waiting_deadline_ms = UINT64_MAX;
        block_pool_init(&thread->blocks, BLOCK_OCTETS, 4);
        thread->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (thread->wake_fd < 0)
                return false;
        if (!dns_loop_open(&thread->loop, thread->wake_fd)) {
                close(thread->wake_fd);
                return false;
        }
        upstream_set_init(&thread->upstreams, &thread->loop);
        upstream_set_replace(&thread->upstreams, pool->options.upstreams, pool->options.upstream_count);
        return true;
}

static void thread_release(struct dns_thread *thread)
{
        free(atomic_load(&thread->news));
        dns_loop_close(&thread->loop);
        close(thread->wake_fd);
}

/* Signals are for other threads, but for that of the sandbox: the kernel ends the process where it is blocked. */
static bool thread_start(struct dns_thread *thread)
{
        sigset_t all, before;

        sigfillset(&all);
        sigdelset(&all, SIGSYS);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        bool is_started = pthread_create(&thread->thread, NULL, dns_thread_run, thread) == 0;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        return is_started;
}

static bool threads_start(struct dns_pool *pool)
{
        for (uint32_t i = 0; i < pool->options.threads; i++) {
                if (!thread_prepare(pool, &pool->threads[i], i))
                        return false;
                if (!thread_start(&pool->threads[i])) {
                        thread_release(&pool->threads[i]);
                        return false;
                }
                pool->started++;
        }
        return true;
}

/* ---- clients ------------------------------------------------------------------------------------------- */

static void *aligned_zeroed(size_t count, size_t size, size_t alignment)
{
        void *memory = aligned_alloc(alignment, count * size);
        if (memory != NULL)
                memset(memory, 0, count * size);
        return memory;
}

static bool client_prepare(struct dns_pool *pool, struct dns_client *client)
{
        client->pool = pool;
        client->lanes = aligned_zeroed(pool->options.threads, sizeof *client->lanes, _Alignof(struct lane));
        for (uint32_t i = 0; client->lanes != NULL && i < pool->options.threads; i++) {
                ask_ring_init(&client->lanes[i].questions);
                ask_ring_init(&client->lanes[i].answers);
                places_init(&client->lanes[i].places);
                client->lanes[i].is_announced = true;
        }
        return client->lanes != NULL;
}

static void lane_release(struct lane *lane)
{
        struct waiting *waiting;
        struct ask *ask;
        uint64_t next_ms;

        while ((ask = ask_receive(&lane->questions)) != NULL)
                ask_free(ask);
        while ((ask = ask_receive(&lane->answers)) != NULL)
                ask_free(ask);
        while ((waiting = places_late(&lane->places, UINT64_MAX, &next_ms)) != NULL)
                ask_free((struct ask *)waiting);
}

static void client_release(struct dns_client *client)
{
        ask_free(client->received);
        for (uint32_t i = 0; client->lanes != NULL && i < client->pool->options.threads; i++)
                lane_release(&client->lanes[i]);
        free(client->lanes);
}

/* ---- pool ---------------------------------------------------------------------------------------------- */

struct dns_pool *dns_pool_create(const struct dns_pool_options *options)
{
        struct dns_pool *pool = calloc(1, sizeof *pool);

        expect(options->threads > 0 && options->threads <= 16 && options->clients > 0);
        if (pool == NULL)
                return NULL;
        upstream_prepare_library();
        pool->options = *options;
        dns_pool_set_limits(pool, options);
        pool->threads = aligned_zeroed(options->threads, sizeof *pool->threads, _Alignof(struct dns_thread));
        pool->clients = calloc(options->clients, sizeof *pool->clients);
        bool is_ready = pool->threads != NULL && pool->clients != NULL;
        for (uint32_t i = 0; is_ready && i < options->clients; i++)
                is_ready = client_prepare(pool, &pool->clients[i]);
        if (is_ready && threads_start(pool))
                return pool;
        dns_pool_destroy(pool);
        return NULL;
}

static void threads_stop(struct dns_pool *pool)
{
        atomic_store(&pool->is_stopping, true);
        for (uint32_t i = 0; i < pool->started; i++)
                sleeper_wake(&pool->threads[i].is_asleep, pool->threads[i].wake_fd);
}

bool dns_pool_stop(struct dns_pool *pool, uint64_t until_ms)
{
        threads_stop(pool);
        for (; pool->joined < pool->started; pool->joined++)
                if (!clock_join_thread(pool->threads[pool->joined].thread, until_ms))
                        return false;
        return true;
}

void dns_pool_destroy(struct dns_pool *pool)
{
        threads_stop(pool);
        for (; pool->joined < pool->started; pool->joined++)
                pthread_join(pool->threads[pool->joined].thread, NULL);
        for (uint32_t i = 0; i < pool->started; i++)
                thread_release(&pool->threads[i]);
        for (uint32_t i = 0; pool->clients != NULL && i < pool->options.clients; i++)
                if (pool->clients[i].pool != NULL)
                        client_release(&pool->clients[i]);
        free(pool->clients);
        free(pool->threads);
        free(pool);
}

bool dns_pool_set_upstreams(struct dns_pool *pool, const struct endpoint *upstreams, size_t count)
{
        bool is_complete = true;

        for (uint32_t i = 0; i < pool->options.threads; i++) {
                struct dns_thread *thread = &pool->threads[i];
                struct upstream_news *news = news_create(upstreams, count);
                is_complete = is_complete && news != NULL;
                if (news == NULL)
                        continue;
                free(atomic_exchange_explicit(&thread->news, news, memory_order_acq_rel));
                sleeper_wake(&thread->is_asleep, thread->wake_fd);
        }
        return is_complete;
}

void dns_pool_set_limits(struct dns_pool *pool, const struct dns_pool_options *options)
{
        atomic_store_explicit(&pool->limits.attempt_timeout_ms, options->attempt_timeout_ms,
                              memory_order_relaxed);
        atomic_store_explicit(&pool->limits.deadline_ms, options->deadline_ms, memory_order_relaxed);
        atomic_store_explicit(&pool->limits.waiting_max, options->waiting_max, memory_order_relaxed);
}

void dns_pool_count(struct dns_pool *pool, struct dns_pool_counts *ret_counts)
{
        uint64_t sums[COUNTERS] = {0};

        for (uint32_t i = 0; i < pool->options.threads; i++)
                for (size_t counter = 0; counter < COUNTERS; counter++)
                        sums[counter] +=
                            atomic_load_explicit(&pool->threads[i].counters[counter], memory_order_relaxed);
        for (uint32_t i = 0; i < pool->options.clients; i++)
                sums[COUNT_overloaded] +=
                    atomic_load_explicit(&pool->clients[i].overloaded, memory_order_relaxed);
#define POOL_METRIC(name, kind, help) ret_counts->name = sums[COUNT_##name];
#include "dns/metrics.def"
}

void dns_pool_times(const struct dns_pool *pool, struct histogram *ret_sum)
{
        *ret_sum = (struct histogram){0};
        for (uint32_t i = 0; i < pool->options.threads; i++)
                histogram_sum(ret_sum, &pool->threads[i].times);
}
