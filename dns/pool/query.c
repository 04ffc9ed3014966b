/* One question and its attempts: which upstream, by what transport, when to give up, and who is told. */
#include "dns/pool/internal.h"

#include <stdlib.h>

#define ATTEMPTS_MIN   3
#define ATTEMPT_ROUNDS 2 /* each upstream is given this many */

void query_list_init(struct query_list *list)
{
        *list = (struct query_list){.last = &list->first};
}

void query_list_add(struct query_list *list, struct query *query)
{
        query->next = NULL;
        *list->last = query;
        list->last = &query->next;
}

struct query *query_list_take(struct query_list *list)
{
        struct query *query = list->first;
        if (query == NULL)
                return NULL;
        list->first = query->next;
        if (list->first == NULL)
                list->last = &list->first;
        return query;
}

struct query *query_create(struct dns_thread *thread, struct ask *ask, uint64_t hash)
{
        struct query **bucket = &thread->buckets[hash % QUERY_BUCKETS];
        struct query *query = malloc(sizeof *query + ask->name_length);

        if (query == NULL)
                return NULL;
        *query = (struct query){
            .waiting = {.share = ask->waiting.share, .deadline_ms = ask->waiting.deadline_ms},
            .bucket_next = *bucket,
            .thread = thread,
            .asks = ask,
            .hash = hash,
            .type = ask->type,
            .name_length = (uint8_t)ask->name_length,
        };
        memcpy(query->name, ask->name, ask->name_length);
        *bucket = query;
        return query;
}

/* ---- the end ------------------------------------------------------------------------------------------- */

static void query_end(struct query *query, struct shared_answer *answer)
{
        struct query **link = &query->thread->buckets[query->hash % QUERY_BUCKETS];

        while (*link != query)
                link = &(*link)->bucket_next;
        *link = query->bucket_next;
        while (query->asks != NULL) {
                struct ask *ask = query->asks;
                query->asks = ask->next;
                thread_reply(query->thread, ask, answer);
        }
        if (query->run != NULL) {
                shared_answer_drop(query->run->reply.answer);
                shared_answer_drop(query->run->refusal);
                thread_count(query->thread, COUNT_in_flight, -1);
                places_give(&query->thread->places, query->waiting.share);
        }
        free(query->run);
        free(query);
}

void query_abandon(struct query *query)
{
        thread_count(query->thread, COUNT_failed, 1);
        query_end(query, NULL);
}

/* A stale answer that the cache still has, for those who would hear of a failure. NULL: none. */
static struct shared_answer *stale_answer(struct query *query, const struct dns_question *question,
                                          uint64_t now_ms)
{
        struct shared_answer *shared = NULL;
        struct dns_answer stale;
        struct arena arena;

        arena_init(&arena, &query->thread->blocks, SIZE_MAX);
        if (dns_cache_get(query->thread->pool->options.cache, question, now_ms, &arena, &stale) !=
                CACHE_MISS &&
            stale.fact != FACT_FAILED)
                shared = shared_answer_create(&stale);
        arena_end(&arena);
        return shared;
}

static void query_fail(struct query *query, uint64_t now_ms)
{
        const struct dns_answer failed = {.fact = FACT_FAILED};
        struct dns_question question = {.name = span_of(query->name, query->name_length),
                                        .type = query->type};

        dns_cache_put(query->thread->pool->options.cache, &question,
                      query->run->refusal == NULL ? &failed : &query->run->refusal->answer, now_ms);
        struct shared_answer *stale = stale_answer(query, &question, now_ms);
        if (stale == NULL)
                thread_count(query->thread, COUNT_failed, 1);
        query_end(query, stale != NULL ? stale : query->run->refusal);
        shared_answer_drop(stale);
}

static void query_succeed(struct query *query, uint64_t now_ms)
{
        struct dns_question question = {.name = span_of(query->name, query->name_length),
                                        .type = query->type};
        struct shared_answer *shared = query->run->reply.answer; /* nobody else's yet */

        if (shared->answer.ttl_s > query->run->chain_ttl_s)
                shared->answer.ttl_s = query->run->chain_ttl_s;
        if (shared->answer.fact == FACT_FAILED)
                thread_count(query->thread, COUNT_failed, 1);
        dns_cache_put(query->thread->pool->options.cache, &question, &shared->answer, now_ms);
        query_end(query, shared);
}

/* ---- an attempt ---------------------------------------------------------------------------------------- */

static void query_replied(getdns_context *context, getdns_callback_type_t type, getdns_dict *response,
                          void *argument, getdns_transaction_t transaction)
{
        struct query *query = argument;
        struct dns_question question = {.name = span_of(query->run->target, query->run->target_length),
                                        .type = query->type};

        (void)context, (void)transaction;
        query->run->resolver->in_flight--;
        dns_reply_read(type == GETDNS_CALLBACK_COMPLETE ? response : NULL, &question, &query->run->reply);
        getdns_dict_destroy(response);
        query_list_add(&query->thread->done, query);
}

/* Where others wait for the place, each upstream is given one: slow names hold their places no longer than
 * that. */
static bool attempts_are_used_up(const struct query *query)
{
        uint32_t max = query->thread->upstreams.count * ATTEMPT_ROUNDS;

        if (places_are_scarce(&query->thread->places, query->thread->pool->options.in_flight_max,
                              query->waiting.share))
                return query->run->attempts >= query->thread->upstreams.count;
        return query->run->attempts >= (max < ATTEMPTS_MIN ? ATTEMPTS_MIN : max);
}

static void query_attempt(struct query *query, uint64_t now_ms)
{
        struct upstream_set *upstreams = &query->thread->upstreams;
        uint32_t attempt_ms =
            atomic_load_explicit(&query->thread->pool->limits.attempt_timeout_ms, memory_order_relaxed);

        if (query->run->generation != upstreams->generation) {
                query->run->generation = upstreams->generation;
                query->run->upstream = -1;
                query->run->refused_by = query->run->tried = 0;
                query->run->by_tcp = false;
        }
        if (!query->run->by_tcp)
                query->run->upstream = upstream_choose(upstreams, query->run->refused_by, query->run->tried,
                                                       query->run->upstream, now_ms);
        if (query->run->upstream < 0 || now_ms >= query->waiting.deadline_ms || attempts_are_used_up(query)) {
                query_fail(query, now_ms);
                return;
        }
        uint64_t timeout_ms = query->waiting.deadline_ms - now_ms;
        if (timeout_ms > attempt_ms)
                timeout_ms = attempt_ms;
        query->run->attempts++;
        query->run->tried |= 1u << query->run->upstream;
        thread_count(query->thread, COUNT_attempts, 1);
        if (!upstream_ask(upstreams, query->run->upstream, query->run->by_tcp, query->run->target,
                          (uint16_t)query->type, timeout_ms, query, query_replied, &query->run->resolver)) {
                query->run->reply = (struct dns_reply){.kind = DNS_REPLY_NONE};
                query_list_add(&query->thread->done, query);
        }
}

void query_start(struct query *query, uint64_t now_ms)
{
        query->run = calloc(1, sizeof *query->run);
        if (query->run == NULL) {
                places_give(&query->thread->places, query->waiting.share);
                query_abandon(query);
                return;
        }
        thread_count(query->thread, COUNT_in_flight, 1);
        query->run->target_length = query->name_length;
        memcpy(query->run->target, query->name, query->name_length);
        query->run->chain_ttl_s = UINT32_MAX;
        query->run->upstream = -1;
        query->run->generation = query->thread->upstreams.generation;
        query_attempt(query, now_ms);
}

/* ---- what a reply leads to ----------------------------------------------------------------------------- */

static void note_health(struct query *query, uint64_t now_ms)
{
        bool is_good = query->run->reply.kind != DNS_REPLY_NONE && query->run->reply.kind != DNS_REPLY_BAD;
        struct upstream_set *upstreams = &query->thread->upstreams;

        if (query->run->generation != upstreams->generation)
                return;
        if (is_good)
                upstream_responded(upstreams, query->run->upstream);
        else if (query->run->by_tcp)
                upstream_tcp_spoiled(upstreams, query->run->upstream, query->run->resolver);
        else
                upstream_failed(upstreams, query->run->upstream, now_ms);
}

static void refused(struct query *query, uint64_t now_ms)
{
        shared_answer_drop(query->run->refusal);
        query->run->refusal = query->run->reply.answer;
        query->run->reply.answer = NULL;
        query->run->refused_by |= 1u << query->run->upstream;
        query->run->by_tcp = false;
        query_attempt(query, now_ms);
}

static void truncated(struct query *query, uint64_t now_ms)
{
        thread_count(query->thread, COUNT_truncated, 1);
        /* Over UDP it has answered; the attempts are for TCP now, whose streams break. */
        if (query->run->by_tcp)
                query->run->refused_by |= 1u << query->run->upstream;
        else
                query->run->attempts--;
        query->run->by_tcp = !query->run->by_tcp;
        query_attempt(query, now_ms);
}

static void chained(struct query *query, uint64_t now_ms)
{
        if (++query->run->targets > DNS_CHAIN_MAX) {
                query_fail(query, now_ms);
                return;
        }
        query->run->target_length = query->run->reply.target_length;
        memcpy(query->run->target, query->run->reply.target, query->run->target_length);
        query->run->target[query->run->target_length] = '\0';
        if (query->run->chain_ttl_s > query->run->reply.ttl_s)
                query->run->chain_ttl_s = query->run->reply.ttl_s;
        query->run->attempts = 0;
        query->run->refused_by = query->run->tried = 0;
        query->run->upstream = -1;
        query->run->by_tcp = false;
        query_attempt(query, now_ms);
}

void query_continue(struct query *query, uint64_t now_ms)
{
        note_health(query, now_ms);
        switch (query->run->reply.kind) {
        case DNS_REPLY_NONE:
        case DNS_REPLY_BAD:
                thread_count(query->thread,
                             query->run->reply.kind == DNS_REPLY_BAD ? COUNT_bad : COUNT_timeouts, 1);
                query->run->by_tcp = false;
                query_attempt(query, now_ms);
                break;
        case DNS_REPLY_REFUSED:
                refused(query, now_ms);
                break;
        case DNS_REPLY_TRUNCATED:
                truncated(query, now_ms);
                break;
        case DNS_REPLY_CHAIN:
                chained(query, now_ms);
                break;
        case DNS_REPLY_ANSWER:
                query_succeed(query, now_ms);
                break;
        }
}
