/* A resolver thread: takes questions out of the rings, joins equal ones, keeps the number in flight within
 * its bound. */
#include "dns/clock.h"
#include "dns/pool/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <urcu/urcu-memb.h>

#define BATCH      256 /* questions of one client in a turn */
#define IDLE_MS    60000
#define STARVED_MS 100 /* pause after descriptors ran out */

void thread_count(struct dns_thread *thread, enum thread_counter counter, int64_t by)
{
        uint64_t before = atomic_load_explicit(&thread->counters[counter], memory_order_relaxed);
        atomic_store_explicit(&thread->counters[counter], before + (uint64_t)by, memory_order_relaxed);
}

static uint64_t counter_of(const struct dns_thread *thread, enum thread_counter counter)
{
        return atomic_load_explicit(&thread->counters[counter], memory_order_relaxed);
}

void thread_reply(struct dns_thread *thread, struct ask *ask, struct shared_answer *answer)
{
        struct lane *lane = &ask->client->lanes[thread->number];

        ask->answer = answer == NULL ? NULL : shared_answer_take(answer);
        lane->has_answers = true;
        ask_send(&lane->answers, ask);
}

/* ---- questions ----------------------------------------------------------------------------------------- */

static struct query *query_find(struct dns_thread *thread, const struct ask *ask, uint64_t hash)
{
        struct query *query = thread->buckets[hash % QUERY_BUCKETS];
        while (query != NULL &&
               (query->type != ask->type ||
                !span_equals(span_of(query->name, query->name_length), span_of(ask->name, ask->name_length))))
                query = query->bucket_next;
        return query;
}

static struct query *query_create(struct dns_thread *thread, const struct ask *ask, uint64_t hash,
                                  uint32_t share, uint64_t now_ms)
{
        struct query *query = calloc(1, sizeof *query);
        if (query == NULL)
                return NULL;
        query->thread = thread;
        query->hash = hash;
        query->share = share;
        query->deadline_ms =
            now_ms + atomic_load_explicit(&thread->pool->limits.deadline_ms, memory_order_relaxed);
        query->type = ask->type;
        query->name_length = query->target_length = ask->name_length;
        memcpy(query->name, ask->name, ask->name_length);
        memcpy(query->target, ask->name, ask->name_length);
        query->chain_ttl_s = UINT32_MAX;
        query->upstream = -1;
        query->generation = thread->upstreams.generation;
        query->bucket_next = thread->buckets[hash % QUERY_BUCKETS];
        thread->buckets[hash % QUERY_BUCKETS] = query;
        return query;
}

static bool may_start(struct dns_thread *thread, uint64_t now_ms)
{
        if (thread->upstreams.is_starved)
                thread->starved_until_ms = now_ms + STARVED_MS;
        thread->upstreams.is_starved = false;
        return now_ms >= thread->starved_until_ms &&
               counter_of(thread, COUNT_in_flight) < thread->pool->options.in_flight_max;
}

/* Few in flight are not divided. */
static bool share_is_full(const struct dns_thread *thread, uint32_t share)
{
        uint32_t max = thread->pool->options.in_flight_max;
        return thread->shares[share].in_flight >= (max < 32 ? max : max / 2);
}

static uint32_t share_of(const struct dns_thread *thread, struct span name)
{
        return (uint32_t)(dns_cache_hash(thread->pool->options.cache, dns_name_authority(name)) % SHARES);
}

static void query_hold(struct query *query)
{
        struct dns_thread *thread = query->thread;

        query_list_add(&thread->shares[query->share].held, query);
        if (thread->held_count++ == 0 || query->deadline_ms < thread->held_deadline_ms)
                thread->held_deadline_ms = query->deadline_ms;
}

static void query_start(struct query *query, uint64_t now_ms)
{
        query->is_started = true;
        query->thread->shares[query->share].in_flight++;
        thread_count(query->thread, COUNT_in_flight, 1);
        query_attempt(query, now_ms);
}

static void question_accept(struct dns_thread *thread, struct ask *ask, uint64_t now_ms)
{
        struct dns_pool *pool = thread->pool;
        uint64_t hash = dns_cache_hash(pool->options.cache, span_of(ask->name, ask->name_length));
        struct query *query = query_find(thread, ask, hash);
        uint32_t share = share_of(thread, span_of(ask->name, ask->name_length));
        bool is_free = may_start(thread, now_ms) && thread->waiting.first == NULL;
        bool starts = is_free && !share_is_full(thread, share) && thread->shares[share].held.first == NULL;

        thread_count(thread, COUNT_questions, 1);
        if (query != NULL) {
                thread_count(thread, COUNT_joined, 1);
                ask->next = query->asks;
                query->asks = ask;
                return;
        }
        if (starts || counter_of(thread, COUNT_waiting) <
                          atomic_load_explicit(&pool->limits.waiting_max, memory_order_relaxed))
                query = query_create(thread, ask, hash, share, now_ms);
        if (query == NULL) {
                thread_count(thread, COUNT_overloaded, 1);
                thread_reply(thread, ask, NULL);
                return;
        }
        query->asks = ask;
        if (starts) {
                query_start(query, now_ms);
                return;
        }
        thread_count(thread, COUNT_waiting, 1);
        if (is_free)
                query_hold(query);
        else
                query_list_add(&thread->waiting, query);
}

static void questions_take(struct dns_thread *thread, uint64_t now_ms)
{
        for (uint32_t i = 0; i < thread->pool->options.clients; i++) {
                struct lane *lane = &thread->pool->clients[i].lanes[thread->number];
                struct ask *ask;
                for (int taken = 0; taken < BATCH && (ask = ask_receive(&lane->questions)) != NULL; taken++)
                        question_accept(thread, ask, now_ms);
        }
}

static bool has_questions(const struct dns_thread *thread)
{
        for (uint32_t i = 0; i < thread->pool->options.clients; i++)
                if (ask_ring_count(&thread->pool->clients[i].lanes[thread->number].questions) > 0)
                        return true;
        return false;
}

/* Whoever has waited for the whole of its deadline fails; lists are in the order of deadlines, or, after
 * those were shortened, late by no more than the former one. True: the query has left its list. */
static bool waiting_try(struct dns_thread *thread, struct query_list *list, uint64_t now_ms)
{
        struct query *query = list->first;
        bool is_late = now_ms >= query->deadline_ms;

        if (!is_late && !may_start(thread, now_ms))
                return false;
        bool is_held = list != &thread->waiting, is_full = share_is_full(thread, query->share);
        if (!is_late && is_held && is_full)
                return false;
        query_list_take(list);
        thread->held_count -= is_held;
        if (!is_late && is_full) {
                query_hold(query);
                return true;
        }
        thread_count(thread, COUNT_waiting, -1);
        if (is_late)
                query_abandon(query);
        else
                query_start(query, now_ms);
        return true;
}

static void waiting_advance(struct dns_thread *thread, uint64_t now_ms)
{
        while (thread->waiting.first != NULL && waiting_try(thread, &thread->waiting, now_ms))
                ;
        if (thread->held_count == 0)
                return;
        thread->held_deadline_ms = UINT64_MAX;
        for (size_t i = 0; i < SHARES; i++) {
                struct query_list *held = &thread->shares[i].held;
                while (held->first != NULL && waiting_try(thread, held, now_ms))
                        ;
                if (held->first != NULL && held->first->deadline_ms < thread->held_deadline_ms)
                        thread->held_deadline_ms = held->first->deadline_ms;
        }
}

/* ---- a turn -------------------------------------------------------------------------------------------- */

static void done_settle(struct dns_thread *thread, uint64_t now_ms)
{
        struct query_list done = thread->done;
        struct query *query;

        if (done.first == NULL)
                return;
        /* What fails at once while these are settled waits for the next turn. */
        query_list_init(&thread->done);
        while ((query = query_list_take(&done)) != NULL)
                query_continue(query, now_ms);
}

static void news_take(struct dns_thread *thread)
{
        struct upstream_news *news = atomic_exchange_explicit(&thread->news, NULL, memory_order_acquire);
        if (news == NULL)
                return;
        upstream_set_replace(&thread->upstreams, news->endpoints, news->count);
        free(news);
}

static void clients_wake(struct dns_thread *thread)
{
        for (uint32_t i = 0; i < thread->pool->options.clients; i++) {
                struct dns_client *client = &thread->pool->clients[i];
                struct lane *lane = &client->lanes[thread->number];
                if (lane->has_answers)
                        sleeper_wake(client->is_asleep, client->event_fd);
                lane->has_answers = false;
        }
}

static void thread_wait(struct dns_thread *thread, uint64_t now_ms)
{
        uint64_t timeout_ms = IDLE_MS;

        /* Those past their deadline are gone. */
        if (thread->waiting.first != NULL)
                timeout_ms = thread->waiting.first->deadline_ms - now_ms;
        if (thread->held_count > 0 && thread->held_deadline_ms - now_ms < timeout_ms)
                timeout_ms = thread->held_deadline_ms - now_ms;
        bool is_waited_for = thread->waiting.first != NULL || thread->held_count > 0;
        if (is_waited_for && thread->starved_until_ms > now_ms && timeout_ms > STARVED_MS)
                timeout_ms = STARVED_MS;
        atomic_store_explicit(&thread->is_asleep, true, memory_order_relaxed);
        ck_pr_fence_memory();
        if (thread->done.first != NULL || has_questions(thread) ||
            atomic_load_explicit(&thread->news, memory_order_relaxed) != NULL ||
            atomic_load_explicit(&thread->pool->is_stopping, memory_order_relaxed))
                timeout_ms = 0;
        dns_loop_run(&thread->loop, timeout_ms);
        atomic_store_explicit(&thread->is_asleep, false, memory_order_relaxed);
}

/* Everybody who still waits is told. */
static void thread_stop(struct dns_thread *thread)
{
        struct query *query;

        upstream_set_end(&thread->upstreams);
        while ((query = query_list_take(&thread->done)) != NULL)
                query_abandon(query);
        while ((query = query_list_take(&thread->waiting)) != NULL)
                query_abandon(query);
        for (size_t i = 0; i < SHARES; i++)
                while ((query = query_list_take(&thread->shares[i].held)) != NULL)
                        query_abandon(query);
        for (size_t i = 0; i < QUERY_BUCKETS; i++)
                expect(thread->buckets[i] == NULL);
        block_pool_end(&thread->blocks);
}

void *dns_thread_run(void *argument)
{
        struct dns_thread *thread = argument;
        char name[16]; /* the kernel's bound */

        snprintf(name, sizeof name, "resolver-%u", thread->number % 100);
        pthread_setname_np(pthread_self(), name);
        urcu_memb_register_thread();
        while (!atomic_load_explicit(&thread->pool->is_stopping, memory_order_acquire)) {
                uint64_t now_ms = clock_monotonic_ms();
                news_take(thread);
                done_settle(thread, now_ms);
                waiting_advance(thread, now_ms);
                questions_take(thread, now_ms);
                upstream_set_reap(&thread->upstreams);
                clients_wake(thread);
                thread_wait(thread, now_ms);
        }
        thread_stop(thread);
        urcu_memb_unregister_thread();
        return NULL;
}
