#include "workers/senders/redis/machines.h"

#include "dns/clock.h"
#include "workers/senders/redis/herald.h"
#include "workers/senders/redis/settings.h"

#define OCTETS_MAX ((size_t)REDIS_MACHINES_MAX * (REDIS_RECORD_NAME_MAX + REDIS_RECORD_MAX + 64))
#define WAIT_MS    5000 /* for a whole answer, in however many pieces it comes */

static bool fail(const struct sender_access *access, size_t at, const char *reason)
{
        fprintf(stderr, "gatepost: the store of senders: %s: %s\n", access->redis->instances[at].name,
                reason);
        return false;
}

/* An answer of bounded length, which the library would not give: somebody else may have filled the hash. NULL with the
 * reason. */
static redisReply *read_reply(redisContext *redis, const char **ret_fault)
{
        uint64_t until_ms = clock_monotonic_ms() + WAIT_MS;
        size_t octets = 0;
        int is_written = 0;
        void *reply = NULL;

        while (!is_written)
                if (redisBufferWrite(redis, &is_written) != REDIS_OK) {
                        *ret_fault = redis->errstr;
                        return NULL;
                }
        while (redisGetReplyFromReader(redis, &reply) == REDIS_OK && reply == NULL) {
                size_t before = redis->reader->len;
                if (octets > OCTETS_MAX || clock_monotonic_ms() >= until_ms) {
                        *ret_fault = octets > OCTETS_MAX ? "the table of machines is too long; "
                                                           "when it is deleted they write it anew"
                                                         : "no whole answer";
                        return NULL;
                }
                if (redisBufferRead(redis) != REDIS_OK)
                        break;
                octets += redis->reader->len - before;
        }
        *ret_fault = redis->errstr;
        return reply;
}

/* The command is appended. */
static redisReply *ask(const struct sender_access *access, size_t at, int type)
{
        const char *fault = NULL;
        redisReply *reply = read_reply(access->contexts[at], &fault);

        if (reply != NULL && reply->type == type)
                return reply;
        if (reply != NULL)
                fault = reply->type == REDIS_REPLY_ERROR ? reply->str : "an answer to something else";
        fail(access, at, fault);
        if (reply != NULL)
                freeReplyObject(reply);
        return NULL;
}

static void visit_pair(const redisReply *name, const redisReply *record, redis_machine_visit *visit,
                       void *context)
{
        if (name->type == REDIS_REPLY_STRING && record->type == REDIS_REPLY_STRING)
                visit(context, span_of(name->str, (size_t)name->len),
                      span_of(record->str, (size_t)record->len));
}

static bool each_of(const struct sender_access *access, size_t at, redis_machine_visit *visit, void *context)
{
        redisAppendCommand(access->contexts[at], "HGETALL " REDIS_MACHINES, access->redis->prefix);
        redisReply *reply = ask(access, at, REDIS_REPLY_ARRAY);
        if (reply == NULL)
                return false;
        bool is_good =
            reply->elements <= (size_t)2 * REDIS_MACHINES_MAX ||
            fail(access, at, "too many machines in the table; when it is deleted they write it anew");
        for (size_t i = 0; is_good && i + 1 < reply->elements; i += 2)
                visit_pair(reply->element[i], reply->element[i + 1], visit, context);
        freeReplyObject(reply);
        return is_good;
}

bool redis_machines_each(const struct sender_access *access, redis_machine_visit *visit, void *context)
{
        bool is_good = true;

        for (size_t i = 0; i < access->redis->instance_count; i++)
                if (access->contexts[i] != NULL)
                        is_good = each_of(access, i, visit, context) && is_good;
        return is_good;
}

bool redis_machines_forget(const struct sender_access *access, struct span name, bool *ret_was_there)
{
        *ret_was_there = false;
        for (size_t i = 0; i < access->redis->instance_count; i++) {
                if (access->contexts[i] == NULL)
                        continue;
                redisAppendCommand(access->contexts[i], "HDEL " REDIS_MACHINES " %b", access->redis->prefix,
                                   name.at, name.length);
                redisReply *reply = ask(access, i, REDIS_REPLY_INTEGER);
                if (reply == NULL)
                        return false;
                *ret_was_there |= reply->integer > 0;
                freeReplyObject(reply);
        }
        return true;
}
