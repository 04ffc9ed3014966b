/* hiredis, asynchronous. Replies come in the order of the commands. */
#include "workers/senders/redis.h"

#include "dns/clock.h"
#include "workers/log/console.h"
#include "workers/senders/feed.h"
#include "workers/senders/secret.h"

#include <poll.h>

#define SERVERS_MAX      8
#define BACKOFF_FIRST_MS 50 /* before the next server; doubled up to: */
#define BACKOFF_LAST_MS  2000
#define GIVE_UP_MS       2000 /* without a reply, or a connection, in this time the server is left */
#define STOP_WAIT_MS     1000
#define STOP_LOOK_MS     10

struct sender_redis {
        /* Fixed. */
        struct sender_store *store;
        struct endpoint servers[SERVERS_MAX];
        size_t server_count;
        uint64_t timeout_ms;
        char prefix[SENDER_PREFIX_MAX];
        char password[256];

        struct sender_feed feed;
        struct sender_secrets secrets;
        redisAsyncContext *context; /* NULL: between two connections */
        bool wants_read, wants_write;
        bool is_begun;     /* a connection was begun, and its end has not been noticed */
        bool is_ready;     /* the script is there */
        bool must_leave;   /* the server is of no use */
        char script[64];   /* its name */
        size_t server;     /* the one connected to, or next */
        uint64_t begun_ms; /* of the connection */
        uint64_t retry_at_ms, backoff_ms;
        struct sender_job *first, *last; /* under way, the oldest first */
};

/* ---- events: with two descriptors poll() is all that is needed ----------------------------------------- */

static void add_read(void *data)
{
        ((struct sender_redis *)data)->wants_read = true;
}

static void del_read(void *data)
{
        ((struct sender_redis *)data)->wants_read = false;
}

static void add_write(void *data)
{
        ((struct sender_redis *)data)->wants_write = true;
}

static void del_write(void *data)
{
        ((struct sender_redis *)data)->wants_write = false;
}

static void clean_up(void *data)
{
        struct sender_redis *redis = data;
        redis->wants_read = redis->wants_write = false;
}

/* ---- jobs ---------------------------------------------------------------------------------------------- */

static void set_reachable(struct sender_redis *redis, bool is_reachable)
{
        if (atomic_exchange(&redis->store->is_reachable, is_reachable) == is_reachable)
                return;
        if (is_reachable) {
                redis->store->complaint_ms = 0; /* the next trouble is news again */
                console_print("gatepost: the store of senders answers");
                log_event(redis->store->log, "sender_reachable", NULL);
        }
}

/* `reply` is NULL when the connection has ended. */
static void job_done(redisAsyncContext *context, void *data, void *argument)
{
        struct sender_redis *redis = context->data;
        const redisReply *reply = data;
        struct sender_job *job = argument;

        expect(redis->first == job);
        redis->first = job->next;
        if (redis->first == NULL)
                redis->last = NULL;
        if (reply == NULL || reply->type == REDIS_REPLY_ERROR) {
                /* Read-only, no memory, script lost: another server, or the same after a while, may do
                 * better. */
                if (reply != NULL) {
                        sender_store_complain(redis->store, "sender_refused", reply->str);
                        redis->must_leave = true;
                }
                job->fact = FACT_FAILED;
        } else if (job->kind == SENDER_JOB_ASK) {
                sender_redis_read(reply, job);
        } else {
                job->fact = FACT_FOUND;
        }
        sender_store_return(redis->store, job, job->fact);
}

static bool job_send(struct sender_redis *redis, struct sender_job *job)
{
        if (job->kind == SENDER_JOB_TELL)
                return sender_feed_tell(&redis->feed, redis->context, job, job_done);
        return sender_redis_send(redis->context, job_done, job, redis->prefix, redis->script);
}

static bool is_open(const struct sender_redis *redis)
{
        return redis->context != NULL && redis->is_ready && !redis->must_leave;
}

static void take_jobs(struct sender_redis *redis)
{
        struct sender_job *job;

        while ((job = sender_store_take(redis->store)) != NULL) {
                if (!is_open(redis) || !job_send(redis, job)) {
                        sender_store_return(redis->store, job, FACT_FAILED);
                        continue;
                }
                job->next = NULL;
                job->sent_ms = clock_monotonic_ms();
                if (redis->last == NULL)
                        redis->first = job;
                else
                        redis->last->next = job;
                redis->last = job;
        }
}

static void listen_to_others(struct sender_redis *redis)
{
        if (is_open(redis) && !sender_feed_listen(&redis->feed, redis->context))
                redis->must_leave = true;
}

/* ---- connection ---------------------------------------------------------------------------------------- */

static void script_loaded(redisAsyncContext *context, void *data, void *argument)
{
        struct sender_redis *redis = context->data;
        const redisReply *reply = data;

        (void)argument;
        if (reply == NULL)
                return;
        if (reply->type != REDIS_REPLY_STRING || (size_t)reply->len >= sizeof redis->script) {
                sender_store_complain(redis->store, "sender_refused",
                                      reply->str == NULL ? "no script" : reply->str);
                redis->must_leave = true;
                return;
        }
        memcpy(redis->script, reply->str, (size_t)reply->len + 1);
        if (redis->secrets.is_missing)
                return;
        redis->is_ready = true;
        redis->backoff_ms = BACKOFF_FIRST_MS;
        set_reachable(redis, true);
}

static void connected(const redisAsyncContext *context, int status)
{
        struct sender_redis *redis = context->data;

        if (status == REDIS_OK)
                return;
        /* The library frees the context after this. */
        sender_store_complain(redis->store, "sender_unreachable", context->errstr);
        redis->context = NULL;
}

static void disconnected(const redisAsyncContext *context, int status)
{
        struct sender_redis *redis = context->data;

        if (status != REDIS_OK)
                sender_store_complain(redis->store, "sender_lost", context->errstr);
        redis->context = NULL;
}

/* The next server is tried after a while that grows as long as none serves. */
static void go_on_with_next(struct sender_redis *redis)
{
        redis->is_begun = redis->is_ready = redis->must_leave = false;
        set_reachable(redis, false);
        redis->server = (redis->server + 1) % redis->server_count;
        redis->retry_at_ms = clock_monotonic_ms() + redis->backoff_ms;
        if (redis->backoff_ms < BACKOFF_LAST_MS)
                redis->backoff_ms *= 2;
}

static void leave(struct sender_redis *redis)
{
        redisAsyncContext *context = redis->context;

        redis->context = NULL;
        if (context != NULL)
                redisAsyncFree(context); /* what is under way comes back without a reply */
        expect(redis->first == NULL);
        go_on_with_next(redis);
}

static void connect_to_server(struct sender_redis *redis)
{
        const struct endpoint *server = &redis->servers[redis->server];
        char address[ADDRESS_TEXT_MAX + 1];

        address_write_string(&server->address, address);
        redisAsyncContext *context = redisAsyncConnect(address, server->port);
        if (context == NULL || context->err != 0) {
                sender_store_complain(redis->store, "sender_unreachable",
                                      context == NULL ? "out of memory" : context->errstr);
                if (context != NULL)
                        redisAsyncFree(context);
                go_on_with_next(redis);
                return;
        }
        redis->context = context;
        redis->is_begun = true;
        redis->begun_ms = clock_monotonic_ms();
        context->data = redis;
        context->ev.data = redis;
        context->ev.addRead = add_read;
        context->ev.delRead = del_read;
        context->ev.addWrite = add_write;
        context->ev.delWrite = del_write;
        context->ev.cleanup = clean_up;
        redisAsyncSetConnectCallback(context, connected);
        redisAsyncSetDisconnectCallback(context, disconnected);
        if (redis->password[0] != '\0')
                redisAsyncCommand(context, NULL, NULL, "AUTH %s", redis->password);
        sender_secrets_ask(&redis->secrets, context);
        redisAsyncCommand(context, script_loaded, NULL, "SCRIPT LOAD %s", sender_redis_script);
}

/* ---- the thread ---------------------------------------------------------------------------------------- */

static uint64_t waiting_since_ms(const struct sender_redis *redis)
{
        const struct sender_feed *feed = &redis->feed;

        if (feed->is_asked && (redis->first == NULL || feed->asked_ms < redis->first->sent_ms))
                return feed->asked_ms;
        return redis->first != NULL ? redis->first->sent_ms : redis->begun_ms;
}

/* A server that answers too late is asked no more until it has caught up, and left when it does not. */
static void look_at_time(struct sender_redis *redis)
{
        uint64_t now_ms = clock_monotonic_ms();
        uint64_t since_ms = waiting_since_ms(redis);

        if (redis->context == NULL) {
                if (redis->is_begun)
                        go_on_with_next(redis);
                else if (now_ms >= redis->retry_at_ms)
                        connect_to_server(redis);
                return;
        }
        redis->must_leave |= redis->secrets.is_missing;
        bool waits = redis->first != NULL || redis->feed.is_asked || !redis->is_ready;
        if (redis->must_leave || (waits && now_ms - since_ms >= GIVE_UP_MS + redis->timeout_ms)) {
                if (!redis->must_leave)
                        sender_store_complain(redis->store, "sender_unreachable", "no answer");
                leave(redis);
                return;
        }
        if (redis->is_ready)
                sender_secrets_look(&redis->secrets, redis->context, now_ms);
        if (redis->is_ready)
                set_reachable(redis, !waits || now_ms - since_ms < redis->timeout_ms);
}

/* How long poll() may sleep. */
static int wait_ms(const struct sender_redis *redis, bool is_flushed)
{
        uint64_t now_ms = clock_monotonic_ms();

        if (!is_flushed)
                return 1;
        if (redis->context == NULL)
                return redis->retry_at_ms > now_ms ? (int)(redis->retry_at_ms - now_ms) : 0;
        if (redis->first != NULL || redis->feed.is_asked || !redis->is_ready)
                return 50; /* replies are due */
        uint64_t feed_ms = sender_feed_wait_ms(&redis->feed, now_ms);
        return feed_ms < 1000 ? (int)feed_ms : 1000;
}

static void handle_events(struct sender_redis *redis, int revents)
{
        /* Each call may end the connection: the callbacks say so. */
        if ((revents & (POLLIN | POLLHUP | POLLERR)) && redis->context != NULL)
                redisAsyncHandleRead(redis->context);
        if ((revents & (POLLOUT | POLLHUP | POLLERR)) && redis->context != NULL)
                redisAsyncHandleWrite(redis->context);
}

static void wait_for_events(struct sender_redis *redis, bool is_flushed)
{
        struct waker *waker = &redis->store->waker;
        struct pollfd events[2] = {{.fd = waker->event_fd, .events = POLLIN}, {.fd = -1}};
        int timeout = wait_ms(redis, is_flushed);

        if (redis->context != NULL) {
                events[1].fd = redis->context->c.fd;
                events[1].events =
                    (short)((redis->wants_read ? POLLIN : 0) | (redis->wants_write ? POLLOUT : 0));
        }
        waker_prepare(waker);
        if (!sender_store_is_empty(redis->store))
                timeout = 0;
        else if (atomic_load(&redis->store->is_stopping) && timeout > STOP_LOOK_MS)
                timeout = STOP_LOOK_MS;
        poll(events, 2, timeout);
        if (events[0].revents & POLLIN)
                waker_sleep(waker);
        waker_stay_awake(waker);
        if (redis->context != NULL)
                handle_events(redis, events[1].revents);
}

void sender_redis_run(struct sender_redis *redis)
{
        struct sender_store *store = redis->store;
        uint64_t stop_at_ms = UINT64_MAX;
        bool is_flushed = true;

        while (clock_monotonic_ms() < stop_at_ms) {
                if (atomic_load(&store->is_stopping)) {
                        if (redis->first == NULL && sender_store_is_empty(store))
                                break;
                        if (stop_at_ms == UINT64_MAX)
                                stop_at_ms = clock_monotonic_ms() + STOP_WAIT_MS;
                }
                wait_for_events(redis, is_flushed);
                take_jobs(redis);
                listen_to_others(redis);
                if (redis->context != NULL && redis->wants_write && redis->is_ready)
                        redisAsyncHandleWrite(redis->context); /* at once, without another poll() */
                look_at_time(redis);
                is_flushed = sender_store_flush(store);
        }
        if (redis->context != NULL)
                leave(redis);
}

/* ---- life ---------------------------------------------------------------------------------------------- */

struct sender_redis *sender_redis_create(struct sender_store *store, const struct snapshot *snapshot)
{
        const struct endpoint_list *servers = &snapshot->sender_store.servers;
        struct sender_redis *redis = calloc(1, sizeof *redis);

        if (redis == NULL)
                return NULL;
        expect(servers->count <= SERVERS_MAX);
        redis->store = store;
        redis->server_count = servers->count;
        memcpy(redis->servers, servers->endpoints, servers->count * sizeof servers->endpoints[0]);
        redis->timeout_ms = snapshot->options.sender_timeout_ms;
        redis->backoff_ms = BACKOFF_FIRST_MS;
        snprintf(redis->prefix, sizeof redis->prefix, "%s", snapshot->options.sender_prefix);
        sender_feed_init(&redis->feed, store, snapshot->options.sender_prefix);
        sender_secrets_init(&redis->secrets, store, snapshot->options.sender_prefix);
        snprintf(redis->password, sizeof redis->password, "%s", snapshot->options.sender_password);
        return redis;
}

void sender_redis_destroy(struct sender_redis *redis)
{
        sender_secrets_end(&redis->secrets);
        free(redis);
}
