/* GET, and a script that merges. */
#include "workers/senders/redis_job.h"

const char state_redis_script[] =
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

size_t state_redis_put_key(char ret_name[static STATE_NAME_MAX], const char *prefix,
                           const struct state_key *key)
{
        struct text text;

        text_over(&text, ret_name, STATE_NAME_MAX);
        text_put_string(&text, prefix);
        text_put_hex(&text, key->octets, sizeof key->octets);
        return text.length;
}

bool state_redis_send(redisAsyncContext *context, redisCallbackFn *done, struct state_job *job,
                      const char *prefix, const char *script)
{
        char name[STATE_NAME_MAX];
        uint8_t record[STATE_RECORD_SIZE];
        size_t length = state_redis_put_key(name, prefix, &job->key);

        if (job->kind == STATE_JOB_ASK)
                return redisAsyncCommand(context, done, job, "GET %b", name, length) == REDIS_OK;
        state_record_write(&job->record, record);
        return redisAsyncCommand(context, done, job, "EVALSHA %s 1 %b %b %b", script, name, length, record,
                                 sizeof record, job->text, job->text_length) == REDIS_OK;
}

void state_redis_read(const redisReply *reply, struct state_job *job)
{
        job->fact = FACT_FAILED;
        if (reply->type == REDIS_REPLY_NIL)
                job->fact = FACT_ABSENT;
        if (reply->type != REDIS_REPLY_STRING || (size_t)reply->len < STATE_RECORD_SIZE)
                return;
        state_record_read((const uint8_t *)reply->str, &job->record);
        job->fact = FACT_FOUND;
}
