/* A worker's side of the pool. */
#include "dns/pool/client.h"

#include "dns/clock.h"
#include "dns/pool/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

void ask_free(struct ask *ask)
{
        if (ask != NULL)
                shared_answer_drop(ask->answer);
        free(ask);
}

/* The full fence here and the one of the sleeper pair up: either it sees what was put into its ring, or we
 * see that it sleeps. */
void sleeper_wake(_Atomic bool *is_asleep, int event_fd)
{
        uint64_t one = 1;

        ck_pr_fence_memory();
        if (!atomic_load_explicit(is_asleep, memory_order_relaxed) ||
            !atomic_exchange_explicit(is_asleep, false, memory_order_relaxed))
                return;
        while (write(event_fd, &one, sizeof one) < 0)
                expect(errno == EINTR || errno == EAGAIN);
}

/* False when too many are on their way, or memory is out. */
static bool client_file(struct dns_client *client, const struct dns_question *question, uint64_t handle,
                        uint64_t now_ms, bool is_refresh)
{
        uint64_t hash = dns_cache_hash(client->pool->options.cache, question->name);
        struct lane *lane = &client->lanes[(hash >> 32) % client->pool->options.threads];

        if (lane->outstanding >= LANE_SLOTS - 1)
                return false;
        struct ask *ask = malloc(sizeof *ask + question->name.length);
        if (ask == NULL)
                return false;
        *ask = (struct ask){.client = client,
                            .handle = handle,
                            .asked_ms = now_ms,
                            .is_refresh = is_refresh,
                            .type = question->type,
                            .name_length = question->name.length};
        memcpy(ask->name, question->name.at, question->name.length);
        lane->outstanding++;
        lane->is_announced = false;
        ask_send(&lane->questions, ask);
        return true;
}

static enum fact client_ask(struct dns_source *source, const struct dns_question *question, uint64_t handle,
                            struct arena *arena, struct dns_answer *ret_answer)
{
        struct dns_client *client = (struct dns_client *)source;
        uint64_t now_ms = clock_monotonic_ms();

        expect(question->name.length > 0 && question->name.length <= DNS_NAME_MAX);
        switch (dns_cache_get(client->pool->options.cache, question, now_ms, arena, ret_answer)) {
        case CACHE_HIT_REFRESH:
                client_file(client, question, handle, now_ms, true);
                return ret_answer->fact;
        case CACHE_HIT:
                return ret_answer->fact;
        case CACHE_MISS:
                break;
        }
        if (client_file(client, question, handle, now_ms, false))
                return FACT_PENDING;
        *ret_answer = (struct dns_answer){.fact = FACT_FAILED};
        return FACT_FAILED;
}

struct dns_client *dns_pool_client(struct dns_pool *pool, uint32_t number, int event_fd,
                                   _Atomic bool *is_asleep)
{
        struct dns_client *client = &pool->clients[number];

        expect(number < pool->options.clients);
        client->event_fd = event_fd;
        client->is_asleep = is_asleep;
        client->source.ask = client_ask;
        return client;
}

struct dns_source *dns_client_source(struct dns_client *client)
{
        return &client->source;
}

void dns_client_flush(struct dns_client *client)
{
        for (uint32_t i = 0; i < client->pool->options.threads; i++) {
                struct dns_thread *thread = &client->pool->threads[i];
                if (!client->lanes[i].is_announced)
                        sleeper_wake(&thread->is_asleep, thread->wake_fd);
                client->lanes[i].is_announced = true;
        }
}

static struct ask *client_take(struct dns_client *client)
{
        uint32_t lanes = client->pool->options.threads;

        expect(lanes > 0);
        for (uint32_t i = 0; i < lanes; i++) {
                struct lane *lane = &client->lanes[(client->next_lane + i) % lanes];
                struct ask *ask = ask_receive(&lane->answers);
                if (ask == NULL)
                        continue;
                lane->outstanding--;
                client->next_lane = (client->next_lane + i) % lanes;
                return ask;
        }
        client->next_lane = (client->next_lane + 1) % lanes;
        return NULL;
}

const struct dns_reply_message *dns_client_receive(struct dns_client *client)
{
        struct ask *ask;

        do {
                ask_free(client->received);
                client->received = ask = client_take(client);
        } while (ask != NULL && ask->is_refresh);
        if (ask == NULL)
                return NULL;
        client->message.handle = ask->handle;
        client->message.question = (struct dns_question){span_of(ask->name, ask->name_length), ask->type};
        client->message.answer =
            ask->answer == NULL ? (struct dns_answer){.fact = FACT_FAILED} : ask->answer->answer;
        client->message.answer.took_ms = (uint32_t)(clock_monotonic_ms() - ask->asked_ms);
        return &client->message;
}

bool dns_client_has_answers(const struct dns_client *client)
{
        for (uint32_t i = 0; i < client->pool->options.threads; i++)
                if (ask_ring_count(&client->lanes[i].answers) > 0)
                        return true;
        return false;
}
