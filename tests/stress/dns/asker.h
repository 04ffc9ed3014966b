/* For tests of the resolver pool: a stub server, a pool, and one worker's side of it that asks, waits and
 * hands out what came. */
#pragma once

#include "core/base/expect.h"
#include "dns/pool/pool.h"
#include "dns/pool/settings.h"
#include "dns/stub/stub.h"
#include "dns/pool/client.h"

#include <arpa/inet.h>
#include <ck_pr.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include <urcu/urcu-memb.h>

/* Who is to be answered waits so long, that a machine which stands still for seconds is no failure. */
#define PATIENT_ATTEMPT_MS  5000
#define PATIENT_DEADLINE_MS 15000

struct asker {
        struct dns_client *client;
        int event_fd;
        _Atomic bool is_asleep;
        struct block_pool blocks;
        struct arena arena;
        struct dns_account account; /* at first nobody's */
};

static inline uint64_t clock_ms(void)
{
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static inline void asker_begin(struct asker *asker, struct dns_pool *pool, uint32_t number)
{
        asker->account = (struct dns_account){0};
        asker->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        atomic_init(&asker->is_asleep, false);
        asker->client = dns_pool_client(pool, number, asker->event_fd, &asker->is_asleep);
        block_pool_init(&asker->blocks, 65536, 16);
        arena_init(&asker->arena, &asker->blocks, SIZE_MAX);
}

static inline void asker_forget(struct asker *asker)
{
        arena_end(&asker->arena);
        arena_init(&asker->arena, &asker->blocks, SIZE_MAX);
}

static inline void asker_end(struct asker *asker)
{
        arena_end(&asker->arena);
        block_pool_end(&asker->blocks);
        close(asker->event_fd);
}

/* The next answer, or NULL when none came in time. */
static inline const struct dns_reply_message *asker_wait(struct asker *asker, uint64_t timeout_ms)
{
        const struct dns_reply_message *message;
        uint64_t end_ms = clock_ms() + timeout_ms, count;

        dns_client_flush(asker->client);
        while ((message = dns_client_receive(asker->client)) == NULL && clock_ms() < end_ms) {
                atomic_store(&asker->is_asleep, true);
                ck_pr_fence_memory();
                if (!dns_client_has_answers(asker->client))
                        poll(&(struct pollfd){asker->event_fd, POLLIN, 0}, 1, (int)(end_ms - clock_ms()) + 1);
                atomic_store(&asker->is_asleep, false);
                (void)!read(asker->event_fd, &count, sizeof count);
        }
        return message;
}

static inline enum fact asker_file(struct asker *asker, const char *name, enum dns_type type, uint64_t handle,
                                   struct dns_answer *ret_answer)
{
        struct dns_source *source = dns_client_source(asker->client);
        struct dns_question question = {.name = span_from(name), .type = type};
        return source->ask(source, &question,
                           &(struct dns_asker){.handle = handle, .account = &asker->account}, &asker->arena,
                           ret_answer);
}

/* One question and its answer, which lives as long as the arena. Nothing else may be pending. */
static inline enum fact asker_ask(struct asker *asker, const char *name, enum dns_type type,
                                  struct dns_answer *ret_answer)
{
        if (asker_file(asker, name, type, 4711, ret_answer) != FACT_PENDING)
                return ret_answer->fact;
        const struct dns_reply_message *message = asker_wait(asker, 20000);
        expect(message != NULL && message->handle == 4711 && message->question.type == type);
        expect(span_equals(message->question.name, span_from(name)));
        dns_answer_copy(&asker->arena, &message->answer, ret_answer);
        return ret_answer->fact;
}

/* ---- stub and pool ------------------------------------------------------------------------------------- */

static inline struct dns_stub *stub_begin(struct span zone, uint32_t latency_ms)
{
        struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        struct dns_stub_options options = {
            .zone = zone, .listen_length = sizeof loopback, .latency_ms = latency_ms};
        char reason[256];
        struct text error;

        memcpy(&options.listen, &loopback, sizeof loopback);
        text_over(&error, reason, sizeof reason);
        struct dns_stub *stub = dns_stub_start(&options, &error);
        if (stub == NULL)
                fprintf(stderr, "%.*s\n", (int)error.length, reason);
        expect(stub != NULL);
        return stub;
}

static inline struct endpoint loopback_endpoint(uint16_t port)
{
        struct endpoint endpoint = {.port = port};
        expect(address_parse(SPAN("127.0.0.1"), &endpoint.address));
        return endpoint;
}

/* For later questions, and for later attempts of all. */
static inline void pool_set_times(struct dns_pool *pool, uint32_t attempt_ms, uint32_t deadline_ms)
{
        struct dns_pool_options options = dns_pool_defaults();

        options.attempt_timeout_ms = attempt_ms;
        options.deadline_ms = deadline_ms;
        dns_pool_set_limits(pool, &options);
}

struct bench {
        struct dns_cache *cache;
        struct dns_pool *pool;
        struct sketch questions;
        struct asker asker; /* client 0 */
};

#define IMPATIENT_ATTEMPT_MS  200
#define IMPATIENT_DEADLINE_MS 2000

/* It is impatient at first. */
static inline void bench_begin(struct bench *bench, struct dns_cache_options cache_options,
                               const struct endpoint *upstreams, size_t count, uint32_t clients)
{
        struct dns_pool_options options = dns_pool_defaults();

        bench->cache = options.cache = dns_cache_create(&cache_options);
        expect(sketch_init(&bench->questions, 4096, 42));
        options.questions = &bench->questions;
        options.upstreams = upstreams;
        options.upstream_count = count;
        options.clients = clients;
        options.attempt_timeout_ms = IMPATIENT_ATTEMPT_MS;
        options.deadline_ms = IMPATIENT_DEADLINE_MS;
        bench->pool = dns_pool_create(&options);
        expect(bench->cache != NULL && bench->pool != NULL);
        asker_begin(&bench->asker, bench->pool, 0);
}

static inline void bench_end(struct bench *bench)
{
        dns_pool_destroy(bench->pool);
        sketch_end(&bench->questions);
        dns_cache_destroy(bench->cache);
        asker_end(&bench->asker);
}
