/* Rings between the workers and the store's thread. */
#include "workers/senders/store.h"

#include "conf/text/access.h"
#include "core/base/expect.h"
#include "dns/clock.h"
#include "workers/log/console.h"
#include "workers/senders/redis.h"
#include "workers/senders/writer.h"

#include <errno.h>
#include <sys/stat.h>
#include <urcu/urcu-memb.h>

/* ---- the worker's side --------------------------------------------------------------------------------- */

/* Jobs come back and are used again: memory is taken only until there are as many as the worker ever needs at
 * once. NULL when too many are under way. */
static struct sender_job *job_take(struct sender_client *client)
{
        struct sender_job *job = client->unused;

        if (client->outstanding >= SENDER_JOBS_MAX)
                return NULL;
        if (job != NULL)
                client->unused = job->next;
        else if ((job = malloc(sizeof *job)) == NULL)
                return NULL;
        client->outstanding++;
        return job;
}

static bool client_send(struct sender_client *client, enum sender_job_kind kind, uint64_t handle,
                        const struct sender_effect *effect)
{
        struct sender_job *job = job_take(client);

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

static enum fact ask_mapped(struct sender_source *source, const struct sender_key *key, uint64_t handle,
                            struct sender_record *ret_record)
{
        struct sender_client *client = (struct sender_client *)source;

        (void)handle;
        return sender_lmdb_get(&client->store->lmdb, client->reader, key, ret_record);
}

/* The thread looks for itself which instance that is: others may be in force then. */
static bool is_worth_asking(const struct sender_source *source, const struct sender_key *key)
{
        const struct sender_placing *placing = atomic_load_explicit(&source->placing, memory_order_acquire);
        const struct sender_share *share = &placing->shares[sender_placing_find(placing, key->unkeyed)];

        return atomic_load_explicit(&share->is_reachable, memory_order_relaxed);
}

static enum fact ask_thread(struct sender_source *source, const struct sender_key *key, uint64_t handle,
                            struct sender_record *ret_record)
{
        struct sender_client *client = (struct sender_client *)source;

        (void)ret_record;
        if (!is_worth_asking(source, key))
                return FACT_FAILED;
        return client_send(client, SENDER_JOB_ASK, handle, &(struct sender_effect){.key = *key})
                   ? FACT_PENDING
                   : FACT_FAILED;
}

static void apply(struct sender_source *source, const struct sender_effect *effect)
{
        struct sender_client *client = (struct sender_client *)source;

        if (!client_send(client, SENDER_JOB_APPLY, 0, effect))
                counter_add(&client->counters->metrics[METRIC_sender_lost], 1);
}

static void tell(struct sender_source *source, struct span notice)
{
        struct sender_client *client = (struct sender_client *)source;

        expect(notice.length <= SENDER_TEXT_MAX);
        /* In a flood questions come first. */
        if (client->outstanding >= SENDER_JOBS_MAX / 2 ||
            !client_send(client, SENDER_JOB_TELL, 0, &(struct sender_effect){.text = notice}))
                counter_add(&client->counters->metrics[METRIC_sender_lost], 1);
}

struct sender_client *sender_store_client(struct sender_store *store, uint32_t number, struct waker *waker,
                                          struct counters *counters)
{
        struct sender_client *client = &store->clients[number];

        client->counters = counters;
        /* Of lmdb only used jobs come back, and nobody is in a hurry for them. */
        if (store->kind == SENDER_STORE_REDIS)
                client->done->waker = waker;
        return client;
}

struct sender_source *sender_client_source(struct sender_client *client)
{
        return client->store->kind == SENDER_STORE_NONE ? NULL : &client->source;
}

static void job_put_away(struct sender_client *client, struct sender_job *job)
{
        job->next = client->unused;
        client->unused = job;
        client->outstanding--;
}

const struct sender_job *sender_client_receive(struct sender_client *client)
{
        struct sender_job *job;

        if (client->received != NULL)
                job_put_away(client, client->received);
        client->received = NULL;
        while ((job = (struct sender_job *)channel_receive(client->done)) != NULL) {
                if (job->kind == SENDER_JOB_ASK) {
                        client->received = job;
                        return job;
                }
                if (job->fact == FACT_FAILED)
                        counter_add(&client->counters->metrics[METRIC_sender_lost], 1);
                job_put_away(client, job);
        }
        return NULL;
}

bool sender_client_has_answers(const struct sender_client *client)
{
        return client->store->kind == SENDER_STORE_REDIS && !channel_is_empty(client->done);
}

bool sender_client_flush(struct sender_client *client)
{
        return channel_flush(client->jobs);
}

/* ---- the thread's side --------------------------------------------------------------------------------- */

struct sender_job *sender_store_take(struct sender_store *store)
{
        for (uint32_t i = 0; i < store->client_count; i++) {
                struct sender_job *job = (struct sender_job *)channel_receive(store->clients[i].jobs);
                if (job != NULL)
                        return job;
        }
        return NULL;
}

bool sender_store_is_empty(const struct sender_store *store)
{
        for (uint32_t i = 0; i < store->client_count; i++)
                if (!channel_is_empty(store->clients[i].jobs))
                        return false;
        return true;
}

void sender_store_return(struct sender_store *store, struct sender_job *job, enum fact fact)
{
        job->fact = fact;
        channel_send(store->clients[job->client].done, &job->parcel);
}

bool sender_store_flush(struct sender_store *store)
{
        bool is_flushed = true;

        for (uint32_t i = 0; i < store->client_count; i++)
                is_flushed = channel_flush(store->clients[i].done) && is_flushed;
        return is_flushed;
}

void sender_store_complain(struct sender_store *store, const char *event, const char *reason)
{
        sender_complain(&store->trouble, event, reason);
}

/* ---- life ---------------------------------------------------------------------------------------------- */

static bool clients_create(struct sender_store *store)
{
        store->clients = calloc(store->client_count, sizeof store->clients[0]);
        for (uint32_t i = 0; store->clients != NULL && i < store->client_count; i++) {
                struct sender_client *client = &store->clients[i];
                client->store = store;
                client->jobs = channels_create(1, &store->waker);
                client->done = channels_create(1, NULL);
                client->source.ask = store->kind == SENDER_STORE_LMDB ? ask_mapped : ask_thread;
                client->source.apply = apply;
                client->source.tell = store->kind == SENDER_STORE_REDIS ? tell : NULL;
                client->source.placing = store->kind == SENDER_STORE_LMDB ? &store->lmdb_placing : NULL;
                if (client->jobs == NULL || client->done == NULL)
                        return false;
                if (store->kind == SENDER_STORE_LMDB &&
                    (client->reader = sender_lmdb_reader(&store->lmdb)) == NULL) {
                        errno = EUSERS;
                        return false;
                }
        }
        return store->clients != NULL;
}

static bool open_lmdb(struct sender_store *store, const struct snapshot *snapshot)
{
        const char *path = snapshot->sender_store.path;
        char denied[ACCESS_TEXT_MAX];
        int error = sender_lmdb_open(&store->lmdb, path, snapshot->options.sender_size_octets, false);

        if (error != 0) {
                console_fail("gatepost: cannot open the store of senders in %s: %s%s", path,
                             mdb_strerror(error), access_denied(path, R_OK | W_OK, denied));
                return false;
        }
        sender_placing_add(&store->lmdb_placing, SPAN("lmdb"));
        store->lmdb_placing.shares[0].secret = sender_lmdb_secret(&store->lmdb);
        return true;
}

static bool open_redis(struct sender_store *store, const struct snapshot *snapshot)
{
        struct conf_complaints complaints = {0};
        struct redis_settings *settings = redis_settings_make(snapshot, &complaints);

        if (settings == NULL)
                console_complaints(complaints.text);
        conf_complaints_end(&complaints);
        if (settings != NULL)
                store->redis = sender_redis_create(store, settings);
        return store->redis != NULL;
}

/* Changes with whatever has to be read or connected to anew. */
static struct sender_key identity_of(const struct snapshot *snapshot)
{
        const struct options *options = &snapshot->options;
        struct stat authorities = {0};
        char octets[4096];
        struct text text;

        if (snapshot->sender_store.uses_tls)
                stat(options->sender_tls_ca, &authorities);
        text_over(&text, octets, sizeof octets);
        text_printf(&text, "%s %s %s %s %llu %llu %s %s %lld %lld", options->sender_store,
                    options->sender_prefix, options->sender_user, options->sender_password,
                    (unsigned long long)options->sender_size_octets,
                    (unsigned long long)options->sender_timeout_ms, options->sender_tls_ca,
                    options->sender_tls_name, (long long)authorities.st_ino,
                    (long long)authorities.st_mtim.tv_sec * 1000000000LL + authorities.st_mtim.tv_nsec);
        return sender_key_of(NULL, text_span(&text));
}

bool sender_store_open(struct sender_store *store, const struct snapshot *snapshot, uint32_t clients,
                       struct log_writer *log)
{
        const struct sender_target *target = &snapshot->sender_store;

        *store = (struct sender_store){.kind = target->kind,
                                       .client_count = clients,
                                       .log = log,
                                       .waker = {.event_fd = -1},
                                       .board = {.lock = PTHREAD_MUTEX_INITIALIZER},
                                       .trouble = {.log = log},
                                       .identity = identity_of(snapshot)};
        if (store->kind == SENDER_STORE_LMDB && !open_lmdb(store, snapshot))
                return false;
        if (!waker_open(&store->waker) || !clients_create(store) ||
            (store->kind == SENDER_STORE_REDIS && !open_redis(store, snapshot))) {
                console_fail("gatepost: cannot open the store of senders: %s", strerror(errno));
                return false;
        }
        return true;
}

/* ---- reload -------------------------------------------------------------------------------------------- */

bool sender_store_takes_restart(const struct sender_store *store, const struct snapshot *snapshot)
{
        struct sender_key wanted = identity_of(snapshot);
        bool is_redis =
            store->kind == SENDER_STORE_REDIS && snapshot->sender_store.kind == SENDER_STORE_REDIS;

        return !is_redis && !sender_key_equals(&wanted, &store->identity);
}

bool sender_store_prepare(const struct sender_store *store, const struct snapshot *snapshot,
                          struct sender_change *ret_change, struct conf_complaints *complaints)
{
        *ret_change = (struct sender_change){.identity = identity_of(snapshot)};
        if (store->kind != SENDER_STORE_REDIS || snapshot->sender_store.kind != SENDER_STORE_REDIS ||
            sender_key_equals(&ret_change->identity, &store->identity))
                return true;
        ret_change->settings = redis_settings_make(snapshot, complaints);
        return ret_change->settings != NULL;
}

void sender_store_change(struct sender_store *store, struct sender_change *change)
{
        if (change->settings == NULL)
                return;
        store->identity = change->identity;
        sender_redis_offer(store->redis, change->settings);
        change->settings = NULL;
}

void sender_change_drop(struct sender_change *change)
{
        redis_settings_free(change->settings);
        change->settings = NULL;
}

/* ---- life ---------------------------------------------------------------------------------------------- */

static void *thread_main(void *argument)
{
        struct sender_store *store = argument;

        pthread_setname_np(pthread_self(), "senders");
        urcu_memb_register_thread(); /* for who hears */
        if (store->kind == SENDER_STORE_LMDB)
                sender_writer_run(store);
        else
                sender_redis_run(store->redis);
        urcu_memb_unregister_thread();
        return NULL;
}

bool sender_store_start(struct sender_store *store)
{
        return store->kind == SENDER_STORE_NONE ||
               pthread_create(&store->thread, NULL, thread_main, store) == 0;
}

bool sender_store_stop(struct sender_store *store, uint64_t until_ms)
{
        if (store->kind == SENDER_STORE_NONE)
                return true;
        atomic_store(&store->is_stopping, true);
        waker_wake(&store->waker);
        return clock_join_thread(store->thread, until_ms);
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

static void client_end(struct sender_client *client)
{
        struct sender_job *job, *next;

        free_all(client->jobs);
        free_all(client->done);
        free(client->received);
        for (job = client->unused; job != NULL; job = next) {
                next = job->next;
                free(job);
        }
        if (client->reader != NULL)
                mdb_txn_abort(client->reader);
        free(client->jobs);
        free(client->done);
}

void sender_store_close(struct sender_store *store)
{
        for (uint32_t i = 0; store->clients != NULL && i < store->client_count; i++)
                client_end(&store->clients[i]);
        free(store->clients);
        if (store->redis != NULL)
                sender_redis_destroy(store->redis);
        sender_lmdb_close(&store->lmdb);
        waker_close(&store->waker);
}
