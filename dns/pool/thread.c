/* A resolver thread: takes questions out of the rings, joins equal ones, keeps the number in flight within
 * its bound, and lets the others take turns. */
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

void thread_reply(struct dns_thread *thread, struct ask *ask, struct shared_answer *answer)
{
        struct lane *lane = &ask->client->lanes[thread->number];

        ask->answer = answer == NULL ? NULL : shared_answer_take(answer);
        lane->has_answers = true;
        /* The client's clock may be newer than that of the turn. */
        histogram_add(&thread->times, thread->now_ms > ask->asked_ms ? thread->now_ms - ask->asked_ms : 0);
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

/* Not while descriptors are out. */
static bool may_start(struct dns_thread *thread, uint64_t now_ms)
{
        if (thread->upstreams.is_starved)
                thread->starved_until_ms = now_ms + STARVED_MS;
        thread->upstreams.is_starved = false;
        return now_ms >= thread->starved_until_ms;
}

static void query_wait(struct dns_thread *thread, struct query *query)
{
        thread_count(thread, COUNT_waiting, 1);
        places_wait(&thread->places, &query->waiting);
        if (query->waiting.deadline_ms < thread->waiting_deadline_ms)
                thread->waiting_deadline_ms = query->waiting.deadline_ms;
}

/* It joins an equal one, begins, or waits within its deadline: the rings bound how many may wait. */
static void question_accept(struct dns_thread *thread, struct ask *ask, uint64_t now_ms)
{
        uint64_t hash = dns_cache_hash(thread->pool->options.cache, span_of(ask->name, ask->name_length));
        struct query *query = query_find(thread, ask, hash);

        thread_count(thread, COUNT_questions, 1);
        if (query != NULL) {
                thread_count(thread, COUNT_joined, 1);
                ask->next = query->asks;
                query->asks = ask;
                return;
        }
        query = now_ms >= ask->waiting.deadline_ms ? NULL : query_create(thread, ask, hash);
        if (query == NULL) {
                thread_count(thread, COUNT_failed, 1);
                thread_reply(thread, ask, NULL);
                return;
        }
        if (may_start(thread, now_ms) &&
            places_have_room(&thread->places, thread->pool->options.in_flight_max, query->waiting.share)) {
                places_take(&thread->places, query->waiting.share);
                query_start(query, now_ms);
        } else {
                query_wait(thread, query);
        }
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

/* Whoever has waited for the whole of its deadline fails; after deadlines were shortened, late by no more than
 * the former one. */
static void waiting_advance(struct dns_thread *thread, uint64_t now_ms)
{
        struct waiting *waiting;

        while ((waiting = places_late(&thread->places, now_ms, &thread->waiting_deadline_ms)) != NULL) {
                thread_count(thread, COUNT_waiting, -1);
                query_abandon((struct query *)waiting);
        }
        while (may_start(thread, now_ms) &&
               (waiting = places_next(&thread->places, thread->pool->options.in_flight_max)) != NULL) {
                thread_count(thread, COUNT_waiting, -1);
                query_start((struct query *)waiting, now_ms);
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
        if (thread->waiting_deadline_ms - now_ms < timeout_ms)
                timeout_ms = thread->waiting_deadline_ms - now_ms;
        if (thread->places.waiting > 0 && thread->starved_until_ms > now_ms && timeout_ms > STARVED_MS)
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
        struct waiting *waiting;
        struct query *query;

        upstream_set_end(&thread->upstreams);
        while ((query = query_list_take(&thread->done)) != NULL)
                query_abandon(query);
        while ((waiting = places_late(&thread->places, UINT64_MAX, &thread->waiting_deadline_ms)) != NULL)
                query_abandon((struct query *)waiting);
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
                uint64_t now_ms = thread->now_ms = clock_monotonic_ms();
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
