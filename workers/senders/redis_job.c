/* GET, and a script that merges. */
#include "workers/senders/redis_job.h"

const char sender_redis_script[] =
    "local first, last, expires, count = struct.unpack('<I4I4I4I4', ARGV[1])\n"
    "local text, old = ARGV[2], redis.call('GET', KEYS[1])\n"
    "if old and #old >= 16 then\n"
    "  local f, l, e, c = struct.unpack('<I4I4I4I4', old)\n"
    "  if text == '' then text = string.sub(old, 17) end\n"
    "  if e > last then\n"
    "    first, last, expires = f, math.max(l, last), math.max(e, expires)\n"
    "    count = math.min(c + count, 4294967295)\n"
    "  end\n"
    "end\n"
    "redis.call('SET', KEYS[1], struct.pack('<I4I4I4I4', first, last, expires, count) .. text,\n"
    "  'PX', string.format('%d', math.max(expires - last, 1) * 1000))\n"
    "return 1\n";

size_t sender_redis_put_key(char ret_name[static SENDER_NAME_MAX], const char *prefix,
                            const struct sender_key *key)
{
        struct text text;

        text_over(&text, ret_name, SENDER_NAME_MAX);
        text_put_string(&text, prefix);
        text_put_hex(&text, key->octets, sizeof key->octets);
        return text.length;
}

bool sender_redis_send(redisAsyncContext *context, redisCallbackFn *done, struct sender_job *job,
                       const char *prefix, const char *script)
{
        char name[SENDER_NAME_MAX];
        uint8_t record[SENDER_RECORD_SIZE];
        size_t length = sender_redis_put_key(name, prefix, &job->key);

        if (job->kind == SENDER_JOB_ASK)
                return redisAsyncCommand(context, done, job, "GET %b", name, length) == REDIS_OK;
        sender_record_write(&job->record, record);
        return redisAsyncCommand(context, done, job, "EVALSHA %s 1 %b %b %b", script, name, length, record,
                                 sizeof record, job->text, job->text_length) == REDIS_OK;
}

void sender_redis_read(const redisReply *reply, struct sender_job *job)
{
        job->fact = FACT_FAILED;
        if (reply->type == REDIS_REPLY_NIL)
                job->fact = FACT_ABSENT;
        if (reply->type != REDIS_REPLY_STRING || (size_t)reply->len < SENDER_RECORD_SIZE)
                return;
        sender_record_read((const uint8_t *)reply->str, &job->record);
        job->fact = FACT_FOUND;
}
