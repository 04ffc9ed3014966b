/* Of all machines that share the store, the first one chooses it. */
#include "workers/senders/secret.h"

#include "dns/clock.h"

#define LOOK_EVERY_MS 30000

struct kept_secret {
        struct kept_secret *next;
        struct sender_secret secret;
};

void sender_secrets_init(struct sender_secrets *secrets, struct sender_store *store, const char *prefix)
{
        *secrets = (struct sender_secrets){.store = store};
        secrets->name_length = sender_redis_put_secret_name(secrets->name, prefix);
}

void sender_secrets_end(struct sender_secrets *secrets)
{
        for (struct kept_secret *kept = secrets->kept, *next; kept != NULL; kept = next) {
                next = kept->next;
                free(kept);
        }
}

static bool keep(struct sender_secrets *secrets, const struct sender_secret *secret)
{
        if (secrets->kept != NULL &&
            memcmp(secrets->kept->secret.octets, secret->octets, sizeof secret->octets) == 0)
                return true;
        struct kept_secret *kept = malloc(sizeof *kept);
        if (kept == NULL)
                return false;
        *kept = (struct kept_secret){secrets->kept, *secret};
        secrets->kept = kept;
        sender_store_set_secret(secrets->store, &kept->secret);
        return true;
}

/* `reply` is NULL when the connection has ended. */
static void was_read(redisAsyncContext *context, void *data, void *argument)
{
        struct sender_secrets *secrets = argument;
        const redisReply *reply = data;
        struct sender_secret secret;

        (void)context;
        if (reply == NULL || (sender_redis_read_secret(reply, &secret) && keep(secrets, &secret)))
                return;
        sender_store_complain(secrets->store, "sender_refused",
                              reply->type == REDIS_REPLY_ERROR ? reply->str : "no secret for the keys");
        secrets->is_missing = true;
}

void sender_secrets_ask(struct sender_secrets *secrets, redisAsyncContext *context)
{
        uint8_t octets[SENDER_SECRET_SIZE];

        secrets->asked_ms = clock_monotonic_ms();
        secrets->is_missing = false;
        sender_secret_choose(octets);
        redisAsyncCommand(context, NULL, NULL, "SET %b %b NX", secrets->name, secrets->name_length, octets,
                          sizeof octets);
        redisAsyncCommand(context, was_read, secrets, "GET %b", secrets->name, secrets->name_length);
}

void sender_secrets_look(struct sender_secrets *secrets, redisAsyncContext *context, uint64_t now_ms)
{
        if (now_ms - secrets->asked_ms >= LOOK_EVERY_MS)
                sender_secrets_ask(secrets, context);
}
