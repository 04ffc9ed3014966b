/* GET, and a script that merges. */
#include "workers/senders/redis_job.h"

#include "core/base/expect.h"

#include <sys/random.h>

#define CLOCKS_DIFFER AS_TEXT(SENDER_CLOCKS_DIFFER_S)

const char sender_redis_script[] =
    "local differ = " CLOCKS_DIFFER "\n"
    "local first, last, expires, count = struct.unpack('<I4I4I4I4', ARGV[1])\n"
    "local text, old = ARGV[2], redis.call('GET', KEYS[1]) or redis.call('GET', KEYS[2])\n"
    "if old and #old >= 16 then\n"
    "  local f, l, e, c = struct.unpack('<I4I4I4I4', old)\n"
    "  if text == '' then text = string.sub(old, 17) end\n"
    "  if e > last and (c > 0 or f <= last + differ) then\n"
    "    first, last, expires = f, math.max(l, last), math.max(e, expires)\n"
    "    count = math.min(c + count, 4294967295)\n"
    "  end\n"
    "end\n"
    "redis.call('SET', KEYS[1], struct.pack('<I4I4I4I4', first, last, expires, count) .. text,\n"
    "  'PX', string.format('%d', math.max(expires - last, 1) * 1000))\n"
    "return 1\n";

static size_t put_name(char ret_name[static SENDER_NAME_MAX], const char *prefix,
                       const uint8_t key[static SENDER_KEY_SIZE])
{
        struct text text;

        text_over(&text, ret_name, SENDER_NAME_MAX);
        text_put_string(&text, prefix);
        text_put_hex(&text, key, SENDER_KEY_SIZE);
        return text.length;
}

void sender_redis_put_names(struct sender_names *ret_names, const char *prefix, const struct sender_key *key)
{
        ret_names->length = put_name(ret_names->keyed, prefix, key->octets);
        put_name(ret_names->unkeyed, prefix, key->unkeyed);
}

size_t sender_redis_put_secret_name(char ret_name[static SENDER_NAME_MAX], const char *prefix)
{
        struct text text;

        text_over(&text, ret_name, SENDER_NAME_MAX);
        text_put_string(&text, prefix);
        text_put(&text, SPAN("secret"));
        return text.length;
}

void sender_secret_choose(uint8_t ret_octets[static SENDER_SECRET_SIZE])
{
        expect(getrandom(ret_octets, SENDER_SECRET_SIZE, 0) == SENDER_SECRET_SIZE);
}

bool sender_redis_read_secret(const redisReply *reply, struct sender_secret *ret_secret)
{
        if (reply->type != REDIS_REPLY_STRING || (size_t)reply->len != sizeof ret_secret->octets)
                return false;
        sender_secret_set(ret_secret, (const uint8_t *)reply->str);
        return true;
}

bool sender_redis_send(redisAsyncContext *context, redisCallbackFn *done, struct sender_job *job,
                       const char *prefix, const char *script)
{
        uint8_t record[SENDER_RECORD_SIZE];
        struct sender_names names;

        sender_redis_put_names(&names, prefix, &job->key);
        if (job->kind == SENDER_JOB_ASK)
                return redisAsyncCommand(context, done, job, "MGET %b %b", names.keyed, names.length,
                                         names.unkeyed, names.length) == REDIS_OK;
        sender_record_write(&job->record, record);
        return redisAsyncCommand(context, done, job, "EVALSHA %s 2 %b %b %b %b", script, names.keyed,
                                 names.length, names.unkeyed, names.length, record, sizeof record, job->text,
                                 job->text_length) == REDIS_OK;
}

bool sender_redis_read_record(const redisReply *value, struct sender_record *ret_record)
{
        if (value->type != REDIS_REPLY_STRING || (size_t)value->len < SENDER_RECORD_SIZE)
                return false;
        sender_record_read((const uint8_t *)value->str, ret_record);
        return true;
}

enum fact sender_redis_read(const redisReply *reply, struct sender_record *ret_record)
{
        if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2)
                return FACT_FAILED;
        const redisReply *value =
            reply->element[0]->type == REDIS_REPLY_NIL ? reply->element[1] : reply->element[0];
        if (value->type == REDIS_REPLY_NIL)
                return FACT_ABSENT;
        return sender_redis_read_record(value, ret_record) ? FACT_FOUND : FACT_FAILED;
}
