/* Rings between the workers and the store's thread. */
#include "workers/senders/store.h"

#include "workers/log/console.h"
#include "workers/senders/redis.h"
#include "workers/senders/writer.h"

#include "core/base/expect.h"

#include <errno.h>
#include <time.h>
#include <urcu/urcu-memb.h>

#define COMPLAINT_EVERY_MS 60000

uint64_t state_now_ms(void)
{
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- the worker's side ------------------------------------------------------------------------------- */

/* Jobs come back and are used again: memory is taken only until there are as many as the worker ever needs at
 * once. NULL when too many are under way. */
static struct state_job *job_take(struct state_client *client)
{
        struct state_job *job = client->unused;

        if (client->outstanding >= STATE_JOBS_MAX)
                return NULL;
        if (job != NULL)
                client->unused = job->next;
        else if ((job = malloc(sizeof *job)) == NULL)
                return NULL;
        client->outstanding++;
        return job;
}

static bool client_send(struct state_client *client, enum state_job_kind kind, uint64_t handle,
                        const struct state_effect *effect)
{
        struct state_job *job = job_take(client);

        if (job == NULL)
                return false;
        job->kind = kind;
        job->handle = handle;
        job->client = (uint32_t)(client - client->store->clients);
        job->key = effect->key;
        job->record = effect->record;
        job->text_length = effect->text.length;
        if (effect->text.length > 0)
                memcpy(job->text, effect->text.at, effect->text.length);
        channel_send(client->jobs, &job->parcel);
        return true;
}

static enum fact ask_mapped(struct state_source *source, const struct state_key *key, uint64_t handle,
                            struct state_record *ret_record)
{
        struct state_client *client = (struct state_client *)source;

        (void)handle;
        return state_lmdb_get(&client->store->lmdb, client->reader, key, ret_record);
}

static enum fact ask_thread(struct state_source *source, const struct state_key *key, uint64_t handle,
                            struct state_record *ret_record)
{
        struct state_client *client = (struct state_client *)source;

        (void)ret_record;
        if (!atomic_load_explicit(&client->store->is_reachable, memory_order_relaxed))
                return FACT_FAILED;
        return client_send(client, STATE_JOB_ASK, handle, &(struct state_effect){.key = *key}) ? FACT_PENDING
                                                                                               : FACT_FAILED;
}

static void apply(struct state_source *source, const struct state_effect *effect)
{
        struct state_client *client = (struct state_client *)source;

        if (!client_send(client, STATE_JOB_APPLY, 0, effect))
                counter_add(&client->counters->metrics[METRIC_state_lost], 1);
}

static void tell(struct state_source *source, struct span notice)
{
        struct state_client *client = (struct state_client *)source;

        expect(notice.length <= STATE_TEXT_MAX);
        /* In a flood questions come first. */
        if (client->outstanding >= STATE_JOBS_MAX / 2 ||
            !client_send(client, STATE_JOB_TELL, 0, &(struct state_effect){.text = notice}))
                counter_add(&client->counters->metrics[METRIC_state_lost], 1);
}

struct state_client *state_store_client(struct state_store *store, uint32_t number, struct waker *waker,
                                        struct counters *counters)
{
        struct state_client *client = &store->clients[number];

        client->counters = counters;
        /* Of lmdb only used jobs come back, and nobody is in a hurry for them. */
        if (store->kind == STATE_STORE_REDIS)
                client->done->waker = waker;
        return client;
}

struct state_source *state_client_source(struct state_client *client)
{
        return client->store->kind == STATE_STORE_NONE ? NULL : &client->source;
}

static void job_put_away(struct state_client *client, struct state_job *job)
{
        job->next = client->unused;
        client->unused = job;
        client->outstanding--;
}

const struct state_job *state_client_receive(struct state_client *client)
{
        struct state_job *job;

        if (client->current != NULL)
                job_put_away(client, client->current);
        client->current = NULL;
        while ((job = (struct state_job *)channel_receive(client->done)) != NULL) {
                if (job->kind == STATE_JOB_ASK) {
                        client->current = job;
                        return job;
                }
                if (job->fact == FACT_FAILED)
                        counter_add(&client->counters->metrics[METRIC_state_lost], 1);
                job_put_away(client, job);
        }
        return NULL;
}

bool state_client_has_answers(const struct state_client *client)
{
        return client->store->kind == STATE_STORE_REDIS && !channel_is_empty(client->done);
}

bool state_client_flush(struct state_client *client)
{
        return channel_flush(client->jobs);
}

/* ---- the thread's side ------------------------------------------------------------------------------- */

struct state_job *state_store_take(struct state_store *store)
{
        for (uint32_t i = 0; i < store->client_count; i++) {
                struct state_job *job = (struct state_job *)channel_receive(store->clients[i].jobs);
                if (job != NULL)
                        return job;
        }
        return NULL;
}

bool state_store_is_empty(const struct state_store *store)
{
        for (uint32_t i = 0; i < store->client_count; i++)
                if (!channel_is_empty(store->clients[i].jobs))
                        return false;
        return true;
}

void state_store_return(struct state_store *store, struct state_job *job, enum fact fact)
{
        job->fact = fact;
        channel_send(store->clients[job->client].done, &job->parcel);
}

bool state_store_flush(struct state_store *store)
{
        bool is_flushed = true;

        for (uint32_t i = 0; i < store->client_count; i++)
                is_flushed = channel_flush(store->clients[i].done) && is_flushed;
        return is_flushed;
}

void state_store_complain(struct state_store *store, const char *event, const char *reason)
{
        uint64_t now_ms = state_now_ms();

        if (store->complaint_ms != 0 && now_ms - store->complaint_ms < COMPLAINT_EVERY_MS)
                return;
        store->complaint_ms = now_ms;
        say("gatepost: %s: %s", event, reason);
        log_event(store->log, event, "reason", reason, NULL);
}

/* ---- life -------------------------------------------------------------------------------------------- */

static bool clients_create(struct state_store *store)
{
        store->clients = calloc(store->client_count, sizeof store->clients[0]);
        for (uint32_t i = 0; store->clients != NULL && i < store->client_count; i++) {
                struct state_client *client = &store->clients[i];
                client->store = store;
                client->jobs = channels_create(1, &store->waker);
                client->done = channels_create(1, NULL);
                client->source.ask = store->kind == STATE_STORE_LMDB ? ask_mapped : ask_thread;
                client->source.apply = apply;
                client->source.tell = store->kind == STATE_STORE_REDIS ? tell : NULL;
                if (client->jobs == NULL || client->done == NULL)
                        return false;
                if (store->kind == STATE_STORE_LMDB &&
                    (client->reader = state_lmdb_reader(&store->lmdb)) == NULL)
                        return false;
        }
        return store->clients != NULL;
}

bool state_store_open(struct state_store *store, const struct snapshot *snapshot, uint32_t clients,
                      struct log_writer *log)
{
        const struct state_target *target = &snapshot->state_store;

        *store = (struct state_store){
            .kind = target->kind, .client_count = clients, .log = log, .waker = {.event_fd = -1}};
        if (store->kind == STATE_STORE_LMDB) {
                int error = state_lmdb_open(&store->lmdb, target->path, snapshot->options.state_size, false);
                if (error != 0) {
                        say("gatepost: cannot open the store of senders in %s: %s", target->path,
                            mdb_strerror(error));
                        return false;
                }
        }
        if (store->kind == STATE_STORE_REDIS && (store->redis = state_redis_create(store, snapshot)) == NULL)
                return false;
        return waker_open(&store->waker) && clients_create(store);
}

struct state_key state_store_identity(const struct snapshot *snapshot)
{
        const struct options *options = &snapshot->options;
        char octets[2048];
        int length =
            snprintf(octets, sizeof octets, "%s %s %s %llu %llu", options->state_store, options->state_prefix,
                     options->state_password, (unsigned long long)options->state_size,
                     (unsigned long long)options->state_timeout);
        return state_key_of(
            span_of(octets, (size_t)length < sizeof octets ? (size_t)length : sizeof octets - 1));
}

static void *thread_main(void *argument)
{
        struct state_store *store = argument;

        urcu_memb_register_thread(); /* for who hears */
        if (store->kind == STATE_STORE_LMDB)
                state_writer_run(store);
        else
                state_redis_run(store->redis);
        urcu_memb_unregister_thread();
        return NULL;
}

bool state_store_start(struct state_store *store)
{
        return store->kind == STATE_STORE_NONE ||
               pthread_create(&store->thread, NULL, thread_main, store) == 0;
}

void state_store_stop(struct state_store *store)
{
        if (store->kind == STATE_STORE_NONE)
                return;
        atomic_store(&store->is_stopping, true);
        waker_wake(&store->waker);
        pthread_join(store->thread, NULL);
}

/* No thread uses the channel any more. */
static void free_all(struct channel *channel)
{
        struct parcel *parcel;

        if (channel == NULL)
                return;
        channel->waker = NULL;
        for (bool is_flushed = false; !is_flushed;) {
                is_flushed = channel_flush(channel);
                while ((parcel = channel_receive(channel)) != NULL)
                        free(parcel);
        }
}

static void client_end(struct state_client *client)
{
        struct state_job *job, *next;

        free_all(client->jobs);
        free_all(client->done);
        free(client->current);
        for (job = client->unused; job != NULL; job = next) {
                next = job->next;
                free(job);
        }
        if (client->reader != NULL)
                mdb_txn_abort(client->reader);
        free(client->jobs);
        free(client->done);
}

void state_store_close(struct state_store *store)
{
        for (uint32_t i = 0; store->clients != NULL && i < store->client_count; i++)
                client_end(&store->clients[i]);
        free(store->clients);
        if (store->redis != NULL)
                state_redis_destroy(store->redis);
        state_lmdb_close(&store->lmdb);
        waker_close(&store->waker);
}
