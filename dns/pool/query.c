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
        shared_answer_drop(query->reply.answer);
        shared_answer_drop(query->refusal);
        if (query->is_started) {
                thread_count(query->thread, COUNT_in_flight, -1);
                query->thread->shares[query->share].in_flight--;
        }
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
        struct dns_question question = {span_of(query->name, query->name_length), query->type};

        dns_cache_put(query->thread->pool->options.cache, &question,
                      query->refusal == NULL ? &failed : &query->refusal->answer, now_ms);
        struct shared_answer *stale = stale_answer(query, &question, now_ms);
        if (stale == NULL)
                thread_count(query->thread, COUNT_failed, 1);
        query_end(query, stale != NULL ? stale : query->refusal);
        shared_answer_drop(stale);
}

static void query_succeed(struct query *query, uint64_t now_ms)
{
        struct dns_question question = {span_of(query->name, query->name_length), query->type};
        struct shared_answer *shared = query->reply.answer; /* nobody else's yet */

        if (shared->answer.ttl_s > query->chain_ttl_s)
                shared->answer.ttl_s = query->chain_ttl_s;
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
        struct dns_question question = {span_of(query->target, query->target_length), query->type};

        (void)context, (void)transaction;
        query->resolver->in_flight--;
        dns_reply_read(type == GETDNS_CALLBACK_COMPLETE ? response : NULL, &question, &query->reply);
        getdns_dict_destroy(response);
        query_list_add(&query->thread->done, query);
}

/* While others wait for a place, each upstream is given one: slow names hold the places no longer than
 * that. */
static bool attempts_are_used_up(const struct query *query)
{
        uint32_t max = query->thread->upstreams.count * ATTEMPT_ROUNDS;

        if (query->thread->waiting.first != NULL)
                return query->attempts >= query->thread->upstreams.count;
        return query->attempts >= (max < ATTEMPTS_MIN ? ATTEMPTS_MIN : max);
}

void query_attempt(struct query *query, uint64_t now_ms)
{
        struct upstream_set *upstreams = &query->thread->upstreams;
        uint32_t attempt_ms =
            atomic_load_explicit(&query->thread->pool->limits.attempt_timeout_ms, memory_order_relaxed);

        if (query->generation != upstreams->generation) {
                query->generation = upstreams->generation;
                query->upstream = -1;
                query->refused_by = query->tried = 0;
                query->by_tcp = false;
        }
        if (!query->by_tcp)
                query->upstream =
                    upstream_choose(upstreams, query->refused_by, query->tried, query->upstream, now_ms);
        if (query->upstream < 0 || now_ms >= query->deadline_ms || attempts_are_used_up(query)) {
                query_fail(query, now_ms);
                return;
        }
        uint64_t timeout_ms = query->deadline_ms - now_ms;
        if (timeout_ms > attempt_ms)
                timeout_ms = attempt_ms;
        query->attempts++;
        query->tried |= 1u << query->upstream;
        thread_count(query->thread, COUNT_attempts, 1);
        if (!upstream_ask(upstreams, query->upstream, query->by_tcp, query->target, (uint16_t)query->type,
                          timeout_ms, query, query_replied, &query->resolver)) {
                query->reply = (struct dns_reply){.kind = DNS_REPLY_NONE};
                query_list_add(&query->thread->done, query);
        }
}

/* ---- what a reply leads to ----------------------------------------------------------------------------- */

static void note_health(struct query *query, uint64_t now_ms)
{
        bool is_good = query->reply.kind != DNS_REPLY_NONE && query->reply.kind != DNS_REPLY_BAD;
        struct upstream_set *upstreams = &query->thread->upstreams;

        if (query->generation != upstreams->generation)
                return;
        if (is_good)
                upstream_responded(upstreams, query->upstream);
        else if (query->by_tcp)
                upstream_tcp_spoiled(upstreams, query->upstream, query->resolver);
        else
                upstream_failed(upstreams, query->upstream, now_ms);
}

static void refused(struct query *query, uint64_t now_ms)
{
        shared_answer_drop(query->refusal);
        query->refusal = query->reply.answer;
        query->reply.answer = NULL;
        query->refused_by |= 1u << query->upstream;
        query->by_tcp = false;
        query_attempt(query, now_ms);
}

static void truncated(struct query *query, uint64_t now_ms)
{
        thread_count(query->thread, COUNT_truncated, 1);
        if (query->by_tcp)
                query->refused_by |= 1u << query->upstream;
        else
                query->attempts--; /* it has answered; the attempts are for TCP now, whose streams break */
        query->by_tcp = !query->by_tcp;
        query_attempt(query, now_ms);
}

static void chained(struct query *query, uint64_t now_ms)
{
        if (++query->targets > DNS_CHAIN_MAX) {
                query_fail(query, now_ms);
                return;
        }
        query->target_length = query->reply.target_length;
        memcpy(query->target, query->reply.target, query->target_length);
        query->target[query->target_length] = '\0';
        if (query->chain_ttl_s > query->reply.ttl_s)
                query->chain_ttl_s = query->reply.ttl_s;
        query->attempts = 0;
        query->refused_by = query->tried = 0;
        query->upstream = -1;
        query->by_tcp = false;
        query_attempt(query, now_ms);
}

void query_continue(struct query *query, uint64_t now_ms)
{
        note_health(query, now_ms);
        switch (query->reply.kind) {
        case DNS_REPLY_NONE:
        case DNS_REPLY_BAD:
                thread_count(query->thread, query->reply.kind == DNS_REPLY_BAD ? COUNT_bad : COUNT_timeouts,
                             1);
                query->by_tcp = false;
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
