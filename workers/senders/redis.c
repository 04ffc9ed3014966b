/* The thread of the store, with the instances of the configuration in force, and of those before and after it while one
 * takes over from the other. */
#include "workers/senders/redis.h"

#include "dns/clock.h"
#include "workers/log/console.h"
#include "workers/senders/redis/group.h"

#include <sys/random.h>

#define CHANGE_MS    2000 /* so long others may take until they serve, or the last answers of those before */
#define STOP_WAIT_MS 1000
#define STOP_LOOK_MS 10

struct sender_redis {
        struct sender_store *store;
        struct redis_settings *_Atomic offered;      /* NULL: none */
        struct redis_record *_Atomic offered_record; /* NULL: none that the thread does not have */
        /* Owner: the thread. */
        struct redis_shares *shares; /* all that there were */
        struct redis_group *serving;
        struct redis_group *next;    /* NULL: nothing is to change */
        struct redis_group *leaving; /* NULL: nothing has changed lately */
        uint64_t leave_by_ms;
        struct redis_record *record; /* to be told; NULL: none yet */
};

#define GROUPS 3

static void list_groups(const struct sender_redis *redis, struct redis_group *ret_groups[static GROUPS])
{
        ret_groups[0] = redis->serving;
        ret_groups[1] = redis->next;
        ret_groups[2] = redis->leaving;
}

/* ---- one takes over from the other --------------------------------------------------------------------- */

static void serve(struct sender_redis *redis, struct redis_group *group)
{
        redis_group_enforce(group, redis->serving);
        redis->serving = group;
        for (uint32_t i = 0; i < redis->store->client_count; i++)
                atomic_store_explicit(&redis->store->clients[i].source.placing, &group->shares->placing,
                                      memory_order_release);
}

static void take_offer(struct sender_redis *redis)
{
        struct redis_settings *settings = atomic_exchange(&redis->offered, NULL);

        if (settings == NULL)
                return;
        redis_group_free(redis->next);
        redis->next = redis_group_new(redis->store, settings, &redis->shares);
        if (redis->next == NULL)
                console_fail("gatepost: no memory for the new store of senders; the former one is asked");
}

static void take_over(struct sender_redis *redis, uint64_t now_ms)
{
        if (redis->leaving != NULL && (redis_group_is_idle(redis->leaving) || now_ms >= redis->leave_by_ms)) {
                redis_group_free(redis->leaving);
                redis->leaving = NULL;
        }
        if (redis->next == NULL || redis->leaving != NULL ||
            (!redis_group_serves(redis->next) && now_ms - redis->next->begun_ms < CHANGE_MS))
                return;
        redis->leaving = redis->serving;
        expect(redis->leaving != NULL); /* one always serves */
        redis->leave_by_ms = now_ms + CHANGE_MS + redis->leaving->settings->timeout_ms;
        serve(redis, redis->next);
        redis->next = NULL;
        console_print("gatepost: the store of senders is that of the new configuration");
        log_event(redis->store->log, "sender_store_changed", NULL);
}

/* ---- what this machine tells of itself ----------------------------------------------------------------- */

/* The thread turns a few times a second anyway, so nobody wakes it for this. */
bool sender_redis_publish(struct sender_redis *redis, struct span name, struct span record)
{
        struct redis_record *next = calloc(1, sizeof *next);

        if (next == NULL || name.length > sizeof next->name || record.length > sizeof next->octets) {
                free(next);
                return false;
        }
        next->name_length = name.length;
        next->length = record.length;
        memcpy(next->name, name.at, name.length);
        memcpy(next->octets, record.at, record.length);
        free(atomic_exchange(&redis->offered_record, next));
        return true;
}

static void take_record(struct sender_redis *redis)
{
        struct redis_record *record = atomic_exchange(&redis->offered_record, NULL);

        if (record == NULL)
                return;
        record->number = redis->record == NULL ? 1 : redis->record->number + 1;
        free(redis->record);
        redis->record = record;
}

/* ---- the thread ---------------------------------------------------------------------------------------- */

static void take_jobs(struct sender_redis *redis)
{
        struct sender_job *job;

        while ((job = sender_store_take(redis->store)) != NULL)
                if (!redis_group_send(redis->serving, job))
                        sender_store_return(redis->store, job, FACT_FAILED);
}

static bool is_idle(const struct sender_redis *redis)
{
        return redis_group_is_idle(redis->serving) &&
               (redis->leaving == NULL || redis_group_is_idle(redis->leaving)) &&
               sender_store_is_empty(redis->store);
}

/* How long poll() may sleep. */
static int wait_ms(const struct sender_redis *redis, bool is_flushed)
{
        struct redis_group *groups[GROUPS];
        uint64_t now_ms = clock_monotonic_ms(), least_ms = 1000;

        if (!is_flushed)
                return 1;
        list_groups(redis, groups);
        for (size_t i = 0; i < GROUPS; i++)
                if (groups[i] != NULL && redis_group_wait_ms(groups[i], now_ms) < least_ms)
                        least_ms = redis_group_wait_ms(groups[i], now_ms);
        if (redis->next != NULL && least_ms > 50)
                least_ms = 50;
        return (int)least_ms;
}

static void wait_for_events(struct sender_redis *redis, bool is_flushed)
{
        struct waker *waker = &redis->store->waker;
        struct pollfd events[1 + GROUPS * REDIS_GROUP_POLLS] = {{.fd = waker->event_fd, .events = POLLIN}};
        struct redis_group *groups[GROUPS];
        int timeout = wait_ms(redis, is_flushed);
        size_t count = 1;

        list_groups(redis, groups);
        for (size_t i = 0; i < GROUPS; i++)
                if (groups[i] != NULL)
                        count += redis_group_poll(groups[i], events + count);
        waker_prepare(waker);
        if (!sender_store_is_empty(redis->store) || atomic_load(&redis->offered) != NULL)
                timeout = 0;
        else if (atomic_load(&redis->store->is_stopping) && timeout > STOP_LOOK_MS)
                timeout = STOP_LOOK_MS;
        poll(events, (nfds_t)count, timeout);
        if (events[0].revents & POLLIN)
                waker_sleep(waker);
        waker_stay_awake(waker);
        count = 1;
        for (size_t i = 0; i < GROUPS; i++) {
                if (groups[i] == NULL)
                        continue;
                redis_group_handle(groups[i], events + count);
                count += groups[i]->count * REDIS_NODE_POLLS;
        }
}

static void turn(struct sender_redis *redis)
{
        struct redis_group *groups[GROUPS];

        take_offer(redis);
        take_record(redis);
        take_jobs(redis);
        uint64_t now_ms = clock_monotonic_ms(); /* no job was sent later */
        list_groups(redis, groups);
        for (size_t i = 0; i < GROUPS; i++)
                if (groups[i] != NULL)
                        redis_group_turn(groups[i], redis->record, now_ms);
        take_over(redis, now_ms);
}

void sender_redis_run(struct sender_redis *redis)
{
        struct sender_store *store = redis->store;
        struct redis_group *groups[GROUPS];
        uint64_t stop_at_ms = UINT64_MAX;
        bool is_flushed = true;

        while (clock_monotonic_ms() < stop_at_ms) {
                if (atomic_load(&store->is_stopping)) {
                        if (is_idle(redis))
                                break;
                        if (stop_at_ms == UINT64_MAX)
                                stop_at_ms = clock_monotonic_ms() + STOP_WAIT_MS;
                }
                wait_for_events(redis, is_flushed);
                turn(redis);
                is_flushed = sender_store_flush(store);
        }
        list_groups(redis, groups);
        for (size_t i = 0; i < GROUPS; i++)
                if (groups[i] != NULL)
                        redis_group_close(groups[i]);
}

/* ---- life ---------------------------------------------------------------------------------------------- */

void sender_redis_offer(struct sender_redis *redis, struct redis_settings *settings)
{
        redis_settings_free(atomic_exchange(&redis->offered, settings));
        waker_wake(&redis->store->waker);
}

static void name_origin(struct sender_store *store)
{
        uint64_t origin;

        expect(getrandom(&origin, sizeof origin, 0) == sizeof origin);
        snprintf(store->origin, sizeof store->origin, "%016llx", (unsigned long long)origin);
}

struct sender_redis *sender_redis_create(struct sender_store *store, struct redis_settings *settings)
{
        struct sender_redis *redis = calloc(1, sizeof *redis);

        if (redis == NULL) {
                redis_settings_free(settings);
                return NULL;
        }
        redis->store = store;
        name_origin(store);
        struct redis_group *group = redis_group_new(store, settings, &redis->shares);
        if (group == NULL) {
                free(redis);
                return NULL;
        }
        serve(redis, group);
        return redis;
}

void sender_redis_destroy(struct sender_redis *redis)
{
        redis_settings_free(atomic_load(&redis->offered));
        free(atomic_load(&redis->offered_record));
        free(redis->record);
        redis_group_free(redis->next);
        redis_group_free(redis->leaving);
        redis_group_free(redis->serving);
        for (struct redis_shares *shares = redis->shares, *next; shares != NULL; shares = next) {
                next = shares->next;
                for (size_t i = 0; i < shares->placing.count; i++)
                        sender_secrets_end(&shares->secrets[i]);
                free(shares);
        }
        free(redis);
}
