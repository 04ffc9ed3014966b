/* Of all machines that share the store, the first one chooses it. */
#include "workers/senders/secret.h"

#include "dns/clock.h"

#define LOOK_EVERY_MS 30000

struct kept_secret {
        struct kept_secret *next;
        struct sender_secret secret;
};

void sender_secrets_init(struct sender_secrets *secrets, struct sender_share *share, const char *prefix)
{
        *secrets = (struct sender_secrets){.share = share};
        secrets->name_length = sender_redis_put_secret_name(secrets->name, prefix);
}

void sender_secrets_end(struct sender_secrets *secrets)
{
        for (struct kept_secret *kept = secrets->kept, *next; kept != NULL; kept = next) {
                next = kept->next;
                free(kept);
        }
}

static const struct kept_secret *find_kept(const struct sender_secrets *secrets,
                                           const struct sender_secret *secret)
{
        const struct kept_secret *kept = secrets->kept;

        while (kept != NULL && memcmp(kept->secret.octets, secret->octets, sizeof secret->octets) != 0)
                kept = kept->next;
        return kept;
}

bool sender_secrets_keep(struct sender_secrets *secrets, struct sender_secret_question *question)
{
        if (!question->is_found)
                return true;
        const struct kept_secret *known = find_kept(secrets, &question->found);
        if (known == NULL) {
                struct kept_secret *kept = malloc(sizeof *kept);
                if (kept == NULL)
                        return false;
                *kept = (struct kept_secret){secrets->kept, question->found};
                known = secrets->kept = kept;
        }
        atomic_store_explicit(&secrets->share->secret, &known->secret, memory_order_release);
        question->is_found = false;
        return true;
}

/* `reply` is NULL when the connection has ended. */
static void was_read(redisAsyncContext *context, void *data, void *argument)
{
        struct sender_secret_question *question = argument;
        const redisReply *reply = data;

        (void)context;
        if (reply == NULL)
                return;
        question->is_found = sender_redis_read_secret(reply, &question->found);
        question->is_missing = !question->is_found;
        if (question->is_missing)
                snprintf(question->fault, sizeof question->fault, "no secret for the keys%s%s",
                         reply->type == REDIS_REPLY_ERROR ? ": " : "",
                         reply->type == REDIS_REPLY_ERROR ? reply->str : "");
}

void sender_secrets_ask(const struct sender_secrets *secrets, struct sender_secret_question *question,
                        redisAsyncContext *context)
{
        uint8_t octets[SENDER_SECRET_SIZE];

        question->asked_ms = clock_monotonic_ms();
        sender_secret_choose(octets);
        redisAsyncCommand(context, NULL, NULL, "SET %b %b NX", secrets->name, secrets->name_length, octets,
                          sizeof octets);
        redisAsyncCommand(context, was_read, question, "GET %b", secrets->name, secrets->name_length);
}

void sender_secrets_look(const struct sender_secrets *secrets, struct sender_secret_question *question,
                         redisAsyncContext *context, uint64_t now_ms)
{
        if (now_ms - question->asked_ms >= LOOK_EVERY_MS)
                sender_secrets_ask(secrets, question, context);
}
