#include "workers/senders/redis/link.h"

#include "dns/clock.h"
#include "workers/senders/redis/node.h"

/* `wire` is the link's first member. */
static struct redis_link *link_of(redisAsyncContext *context)
{
        return context->data;
}

static void refuse(struct redis_link *link, const char *reason)
{
        redis_wire_blame(&link->wire, reason);
        link->must_leave = link->is_refused = true;
}

/* ---- jobs ---------------------------------------------------------------------------------------------- */

/* `data` is NULL when the connection has ended. */
static void job_done(redisAsyncContext *context, void *data, void *argument)
{
        struct redis_link *link = link_of(context);
        const redisReply *reply = data;
        struct sender_job *job = argument;

        expect(link->first == job);
        link->first = job->next;
        if (link->first == NULL)
                link->last = NULL;
        job->fact = FACT_FOUND;
        if (reply == NULL || reply->type == REDIS_REPLY_ERROR) {
                /* Read-only, no memory, script lost: another server, or the same after a while, may do
                 * better. */
                if (reply != NULL)
                        refuse(link, reply->str);
                job->fact = FACT_FAILED;
        } else if (job->kind == SENDER_JOB_ASK) {
                job->fact = sender_redis_read(reply, &job->record);
        }
        redis_node_return(link->node, job);
}

bool redis_link_is_open(const struct redis_link *link)
{
        return link != NULL && link->wire.context != NULL && link->is_ready && !link->must_leave;
}

bool redis_link_send(struct redis_link *link, struct sender_job *job)
{
        struct redis_node *node = link->node;
        bool is_sent =
            job->kind == SENDER_JOB_TELL
                ? sender_feed_tell(&node->feed, link->wire.context, job, job_done)
                : sender_redis_send(link->wire.context, job_done, job, node->settings->prefix, link->script);

        if (!is_sent)
                return false;
        job->next = NULL;
        job->sent_ms = clock_monotonic_ms();
        if (link->last == NULL)
                link->first = job;
        else
                link->last->next = job;
        link->last = job;
        return true;
}

/* ---- the greeting -------------------------------------------------------------------------------------- */

static void let_in(redisAsyncContext *context, void *data, void *argument)
{
        struct redis_link *link = link_of(context);

        (void)argument;
        if (data == NULL || redis_wire_is_let_in(&link->wire, data))
                return;
        link->must_leave = link->is_refused = true;
}

/* ["master", ...] */
static void role_told(redisAsyncContext *context, void *data, void *argument)
{
        struct redis_link *link = link_of(context);
        const redisReply *reply = data;

        (void)argument;
        if (reply == NULL)
                return;
        if (reply->type == REDIS_REPLY_ERROR) {
                refuse(link, reply->str);
                return;
        }
        if (reply->type == REDIS_REPLY_ARRAY && reply->elements > 0 &&
            reply->element[0]->type == REDIS_REPLY_STRING && strcmp(reply->element[0]->str, "master") == 0)
                return;
        link->is_no_master = true;
        refuse(link, "sentinels tell of it, and it is no master");
}

static void script_loaded(redisAsyncContext *context, void *data, void *argument)
{
        struct redis_link *link = link_of(context);
        const redisReply *reply = data;

        (void)argument;
        if (reply == NULL || link->must_leave)
                return;
        if (link->secret.is_missing) {
                refuse(link, link->secret.fault);
        } else if (reply->type != REDIS_REPLY_STRING || (size_t)reply->len >= sizeof link->script) {
                refuse(link, reply->type == REDIS_REPLY_ERROR ? reply->str : "no script");
        } else {
                memcpy(link->script, reply->str, (size_t)reply->len + 1);
                link->is_ready = true;
        }
}

static void greet(struct redis_link *link)
{
        redisAsyncContext *context = link->wire.context;
        struct redis_node *node = link->node;
        bool is_greeted = redis_wire_greet(&link->wire, node->settings, let_in);

        if (is_greeted && node->settings->sentinels.count > 0)
                is_greeted = redisAsyncCommand(context, role_told, NULL, "ROLE") == REDIS_OK;
        if (is_greeted) {
                sender_secrets_ask(node->secrets, &link->secret, context);
                is_greeted = redisAsyncCommand(context, script_loaded, NULL, "SCRIPT LOAD %s",
                                               sender_redis_script) == REDIS_OK;
        }
        if (!is_greeted)
                refuse(link, "out of memory");
}

/* ---- life ---------------------------------------------------------------------------------------------- */

struct redis_link *redis_link_new(struct redis_node *node, const struct endpoint *server, uint64_t now_ms)
{
        struct redis_link *link = calloc(1, sizeof *link);

        if (link == NULL)
                return NULL;
        link->node = node;
        link->begun_ms = now_ms;
        if (redis_wire_open(&link->wire, node->settings, server))
                greet(link);
        return link;
}

void redis_link_free(struct redis_link *link)
{
        if (link == NULL)
                return;
        redis_wire_close(&link->wire);
        expect(link->first == NULL);
        free(link);
}
