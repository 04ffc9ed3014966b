/* One worker's side of a resolver pool, for tests: asks, waits, and hands out what came. */
#pragma once

#include "core/base/expect.h"
#include "dns/pool.h"

#include <ck_pr.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include <urcu/urcu-memb.h>

struct asker {
        struct dns_client *client;
        int event_fd;
        _Atomic bool is_asleep;
        struct block_pool blocks;
        struct arena arena;
};

static inline uint64_t clock_ms(void)
{
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static inline void asker_begin(struct asker *asker, struct dns_pool *pool, uint32_t number)
{
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
        struct dns_question question = {span_from(name), type};
        return source->ask(source, &question, handle, &asker->arena, ret_answer);
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
