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

/* ---- the way there ------------------------------------------------------------------------------------- */

static uint32_t share_of(const struct dns_client *client, const struct dns_question *question)
{
        struct span authority = dns_name_authority(question->name);
        return places_share(dns_cache_hash(client->pool->options.cache, authority), question->is_urgent);
}

/* NULL when memory is out. */
static struct ask *ask_create(struct dns_client *client, const struct dns_question *question,
                              const struct dns_asker *asker, uint64_t now_ms, uint32_t share)
{
        uint32_t deadline_ms = atomic_load_explicit(&client->pool->limits.deadline_ms, memory_order_relaxed);
        struct ask *ask = malloc(sizeof *ask + question->name.length);

        if (ask == NULL)
                return NULL;
        *ask = (struct ask){.waiting = {.share = share, .deadline_ms = now_ms + deadline_ms},
                            .client = client,
                            .handle = asker->handle,
                            .asked_ms = now_ms,
                            .type = question->type,
                            .name_length = question->name.length};
        memcpy(ask->name, question->name.at, question->name.length);
        if (asker->account != NULL) {
                ask->account[0] = asker->account->client;
                ask->account[1] = asker->account->network;
        }
        return ask;
}

/* From when it is filed until its answer is taken, whether anybody still waits for that or not. */
static void account_add(const struct dns_client *client, const struct ask *ask)
{
        for (int i = 0; i < 2 && client->pool->options.questions != NULL; i++)
                if (ask->account[i] != 0)
                        sketch_add(client->pool->options.questions, ask->account[i]);
}

static void account_remove(const struct dns_client *client, const struct ask *ask)
{
        for (int i = 0; i < 2 && client->pool->options.questions != NULL; i++)
                if (ask->account[i] != 0)
                        sketch_remove(client->pool->options.questions, ask->account[i]);
}

/* It has a place. */
static void lane_send(struct lane *lane, struct ask *ask)
{
        lane->is_announced = false;
        ask_send(&lane->questions, ask);
}

static struct lane *lane_of(struct dns_client *client, const struct dns_question *question)
{
        uint64_t hash = dns_cache_hash(client->pool->options.cache, question->name);
        return &client->lanes[(hash >> 32) % client->pool->options.threads];
}

/* PENDING; when nothing is kept of the question, FAILED, or PENDING with *ret_is_unasked. */
static enum fact client_file(struct dns_client *client, const struct dns_question *question,
                             const struct dns_asker *asker, uint64_t now_ms, bool *ret_is_unasked)
{
        uint32_t waiting_max = atomic_load_explicit(&client->pool->limits.waiting_max, memory_order_relaxed);
        struct lane *lane = lane_of(client, question);
        uint32_t share = share_of(client, question);
        bool has_room = places_have_room(&lane->places, LANE_PLACES, share);

        *ret_is_unasked = !has_room && !places_may_wait(&lane->places, waiting_max, share);
        if (*ret_is_unasked) {
                atomic_fetch_add_explicit(&client->overloaded, 1, memory_order_relaxed);
                return FACT_PENDING;
        }
        struct ask *ask = ask_create(client, question, asker, now_ms, share);
        if (ask == NULL)
                return FACT_FAILED;
        account_add(client, ask);
        if (!has_room) {
                places_wait(&lane->places, &ask->waiting);
                return FACT_PENDING;
        }
        places_take(&lane->places, share);
        lane_send(lane, ask);
        return FACT_PENDING;
}

/* Nobody waits for it, and it waits for nothing. */
static void client_refresh(struct dns_client *client, const struct dns_question *question, uint64_t now_ms)
{
        static const struct dns_asker nobody = {0};
        struct lane *lane = lane_of(client, question);
        uint32_t share = share_of(client, question);
        struct ask *ask = places_have_room(&lane->places, LANE_PLACES, share)
                              ? ask_create(client, question, &nobody, now_ms, share)
                              : NULL;

        if (ask == NULL)
                return;
        ask->is_refresh = true;
        places_take(&lane->places, share);
        lane_send(lane, ask);
}

static enum fact client_ask(struct dns_source *source, const struct dns_question *question,
                            const struct dns_asker *asker, struct arena *arena, struct dns_answer *ret_answer)
{
        struct dns_client *client = (struct dns_client *)source;
        uint64_t coarse_ms = clock_monotonic_coarse_ms(); /* answers live for seconds */

        expect(question->name.length > 0 && question->name.length <= DNS_NAME_MAX);
        switch (dns_cache_get(client->pool->options.cache, question, coarse_ms, arena, ret_answer)) {
        case CACHE_HIT_REFRESH:
                client_refresh(client, question, clock_monotonic_ms());
                return ret_answer->fact;
        case CACHE_HIT:
                return ret_answer->fact;
        case CACHE_MISS:
                break;
        }
        *ret_answer = (struct dns_answer){.fact = FACT_FAILED, .is_unasked = asker->looks_only};
        if (asker->looks_only)
                return FACT_PENDING;
        return client_file(client, question, asker, clock_monotonic_ms(), &ret_answer->is_unasked);
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

/* ---- the way back -------------------------------------------------------------------------------------- */

/* Those who wait for a place on the way take the one that has become free. Their thread may sleep. */
static void lane_advance(struct dns_client *client, struct lane *lane)
{
        struct waiting *waiting;

        if (lane->places.waiting == 0)
                return;
        while ((waiting = places_next(&lane->places, LANE_PLACES)) != NULL)
                lane_send(lane, (struct ask *)waiting);
        dns_client_flush(client);
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
                places_give(&lane->places, ask->waiting.share);
                account_remove(client, ask);
                lane_advance(client, lane);
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
        client->message.question =
            (struct dns_question){.name = span_of(ask->name, ask->name_length), .type = ask->type};
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
