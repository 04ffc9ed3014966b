/* XADD and XREAD, of Redis 5. */
#include "workers/senders/feed.h"

#include "dns/clock.h"

#define HEAR_EVERY_MS   200
#define HEAR_MAX        1000  /* notices at once; when there are so many, the next are asked for at once */
#define KEPT            65536 /* notices, about; some megabytes */
#define REFUSED_WAIT_MS 60000

void sender_feed_init(struct sender_feed *feed, struct sender_store *store, struct sender_trouble *trouble,
                      const char *prefix)
{
        *feed = (struct sender_feed){.store = store, .trouble = trouble, .last_id = "0"};
        snprintf(feed->stream, sizeof feed->stream, "%snotices", prefix);
}

/* The ids of notices begin with the time of day there, in milliseconds. */
void sender_feed_begin(struct sender_feed *feed, const struct sender_feed *former, bool is_reload)
{
        if (former != NULL)
                memcpy(feed->last_id, former->last_id, sizeof feed->last_id);
        else if (is_reload)
                snprintf(feed->last_id, sizeof feed->last_id, "%lld", (long long)clock_wall_ms());
        feed->is_in_force = true;
}

void sender_feed_end(struct sender_feed *feed)
{
        feed->is_in_force = false;
}

bool sender_feed_tell(const struct sender_feed *feed, redisAsyncContext *context,
                      const struct sender_job *job, redisCallbackFn *done)
{
        return redisAsyncCommand(context, done, (void *)(uintptr_t)job,
                                 "XADD %s MAXLEN ~ " AS_TEXT(KEPT) " * %s %b", feed->stream,
                                 feed->store->origin, job->text, job->text_length) == REDIS_OK;
}

/* ---- hearing ------------------------------------------------------------------------------------------- */

static const redisReply *element(const redisReply *reply, size_t at)
{
        static const redisReply nothing = {.type = REDIS_REPLY_NIL};

        return reply->type == REDIS_REPLY_ARRAY && at < reply->elements ? reply->element[at] : &nothing;
}

static bool is_text(const redisReply *reply)
{
        return reply->type == REDIS_REPLY_STRING;
}

/* [ID, [ORIGIN, NOTICE]] */
static void hear_entry(struct sender_feed *feed, const redisReply *entry)
{
        const redisReply *id = element(entry, 0);
        const redisReply *origin = element(element(entry, 1), 0), *notice = element(element(entry, 1), 1);

        if (!is_text(id) || (size_t)id->len >= sizeof feed->last_id)
                return;
        memcpy(feed->last_id, id->str, (size_t)id->len + 1);
        if (is_text(origin) && is_text(notice) && strcmp(origin->str, feed->store->origin) != 0)
                feed->store->hear(feed->store->hearer, span_of(notice->str, (size_t)notice->len));
}

/* [[STREAM, [entry, ...]]], or nil when there is nothing new. */
static void heard(redisAsyncContext *context, void *data, void *argument)
{
        struct sender_feed *feed = argument;
        const redisReply *reply = data;

        (void)context;
        feed->is_asked = false;
        if (reply == NULL || !feed->is_in_force)
                return;
        if (reply->type == REDIS_REPLY_ERROR) {
                sender_complain(feed->trouble, "sender_refused", reply->str);
                feed->ask_at_ms = clock_monotonic_ms() + REFUSED_WAIT_MS;
                return;
        }
        const redisReply *entries = element(element(reply, 0), 1);
        size_t count = entries->type == REDIS_REPLY_ARRAY ? entries->elements : 0;
        for (size_t i = 0; i < count; i++)
                hear_entry(feed, entries->element[i]);
        if (count == HEAR_MAX)
                feed->ask_at_ms = 0;
}

bool sender_feed_listen(struct sender_feed *feed, redisAsyncContext *context)
{
        uint64_t now_ms = clock_monotonic_ms();

        if (feed->store->hear == NULL || !feed->is_in_force || feed->is_asked || now_ms < feed->ask_at_ms)
                return true;
        feed->is_asked = true;
        feed->asked_ms = now_ms;
        feed->ask_at_ms = now_ms + HEAR_EVERY_MS;
        return redisAsyncCommand(context, heard, feed, "XREAD COUNT " AS_TEXT(HEAR_MAX) " STREAMS %s %s",
                                 feed->stream, feed->last_id) == REDIS_OK;
}

uint64_t sender_feed_wait_ms(const struct sender_feed *feed, uint64_t now_ms)
{
        if (feed->store->hear == NULL || !feed->is_in_force || feed->is_asked)
                return UINT64_MAX;
        return feed->ask_at_ms > now_ms ? feed->ask_at_ms - now_ms : 0;
}
