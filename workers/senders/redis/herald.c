#include "workers/senders/redis/herald.h"

#include "dns/clock.h"

#define REFUSED_WAIT_MS 60000

void redis_herald_init(struct redis_herald *herald, struct sender_trouble *trouble, const char *prefix)
{
        *herald = (struct redis_herald){.trouble = trouble};
        snprintf(herald->table, sizeof herald->table, REDIS_MACHINES, prefix);
}

/* `data` is NULL when the connection has ended: the next one is told again. An error harms nothing but this: a user of
 * Redis may lack the right to do it. */
static void was_told(redisAsyncContext *context, void *data, void *argument)
{
        struct redis_herald *herald = argument;
        const redisReply *reply = data;

        (void)context;
        herald->is_asked = false;
        if (reply == NULL)
                herald->told = 0;
        if (reply == NULL || reply->type != REDIS_REPLY_ERROR)
                return;
        sender_complain(herald->trouble, "sender_refused", reply->str);
        herald->ask_at_ms = clock_monotonic_ms() + REFUSED_WAIT_MS;
}

bool redis_herald_turn(struct redis_herald *herald, redisAsyncContext *context,
                       const struct redis_record *record, uint64_t now_ms)
{
        if (record == NULL || record->length == 0 || record->number == herald->told || herald->is_asked ||
            now_ms < herald->ask_at_ms)
                return true;
        herald->told = record->number;
        herald->is_asked = true;
        herald->asked_ms = now_ms;
        return redisAsyncCommand(context, was_told, herald, "HSET %s %b %b", herald->table, record->name,
                                 record->name_length, record->octets, record->length) == REDIS_OK;
}
