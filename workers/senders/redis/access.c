#include "workers/senders/redis/access.h"

#include "conf/value/list.h"
#include "workers/senders/redis/secure.h"
#include "workers/senders/redis/sentinel.h"

#define WAIT_SECONDS 5

static bool fail(const char *who, const char *reason)
{
        fprintf(stderr, "gatepost: the store of senders: %s%s%s\n", who, who[0] == '\0' ? "" : ": ", reason);
        return false;
}

/* NULL, with the reason on stderr, for errors. */
static redisReply *checked(redisContext *redis, redisReply *reply)
{
        if (reply == NULL)
                fail("", redis->errstr);
        else if (reply->type == REDIS_REPLY_ERROR)
                fail("", reply->str);
        else
                return reply;
        if (reply != NULL)
                freeReplyObject(reply);
        return NULL;
}

/* ---- connections --------------------------------------------------------------------------------------- */

/* NULL when memory is out, or with an error. */
static redisContext *open_connection(const struct redis_settings *settings, const struct endpoint *server)
{
        const struct timeval timeout = {.tv_sec = WAIT_SECONDS};
        char address[ADDRESS_TEXT_MAX + 1], name[ENDPOINT_TEXT_MAX];

        address_write_string(&server->address, address);
        endpoint_write(&server->address, server->port, name);
        redisContext *redis = redisConnectWithTimeout(address, server->port, timeout);
        if (redis != NULL && redis->err == 0)
                redisSetTimeout(redis, timeout);
        if (redis != NULL && redis->err == 0 &&
            (settings->tls == NULL ||
             redis_secure_begin(redis, settings->tls, settings->tls_name, &server->address) != NULL))
                return redis;
        fail(name, redis == NULL ? "out of memory" : redis->err != 0 ? redis->errstr : "TLS cannot begin");
        if (redis != NULL)
                redisFree(redis);
        return NULL;
}

static bool greet(redisContext *redis, const struct redis_settings *settings)
{
        redisReply *reply = settings->password[0] == '\0' ? redisCommand(redis, "PING")
                            : settings->user[0] == '\0'
                                ? redisCommand(redis, "AUTH %s", settings->password)
                                : redisCommand(redis, "AUTH %s %s", settings->user, settings->password);

        if (reply != NULL && settings->password[0] != '\0' && redis_reply_lets_in(reply)) {
                freeReplyObject(reply);
                return true;
        }
        reply = checked(redis, reply);
        if (reply != NULL)
                freeReplyObject(reply);
        return reply != NULL;
}

/* As the server does it. */
static bool read_secret(struct sender_access *access, size_t at, redisContext *redis)
{
        uint8_t octets[SENDER_SECRET_SIZE];
        char name[SENDER_NAME_MAX];
        size_t length = sender_redis_put_secret_name(name, access->redis->prefix);

        sender_secret_choose(octets);
        redisReply *reply =
            checked(redis, redisCommand(redis, "SET %b %b NX", name, length, octets, sizeof octets));
        if (reply == NULL)
                return false;
        freeReplyObject(reply);
        reply = checked(redis, redisCommand(redis, "GET %b", name, length));
        bool is_read = reply != NULL && sender_redis_read_secret(reply, &access->secrets[at]);
        if (reply != NULL && !is_read)
                fail("", "it has no secret for its keys");
        if (reply != NULL)
                freeReplyObject(reply);
        access->placing.shares[at].secret = &access->secrets[at];
        return is_read;
}

/* ---- instances ----------------------------------------------------------------------------------------- */

static bool open_server(struct sender_access *access, size_t at, const struct endpoint *server)
{
        redisContext *redis = open_connection(access->redis, server);

        if (redis != NULL && greet(redis, access->redis) && read_secret(access, at, redis)) {
                access->contexts[at] = redis;
                return true;
        }
        if (redis != NULL)
                redisFree(redis);
        return false;
}

static redisReply *ask_for_master(redisContext *sentinel, const struct redis_settings *settings,
                                  const char *name)
{
        static const char question[] = "SENTINEL get-master-addr-by-name %s";
        redisReply *reply = redisCommand(sentinel, question, name);

        if (reply == NULL || reply->type != REDIS_REPLY_ERROR || settings->password[0] == '\0' ||
            strncmp(reply->str, "NOAUTH", 6) != 0)
                return checked(sentinel, reply);
        freeReplyObject(reply);
        return greet(sentinel, settings) ? checked(sentinel, redisCommand(sentinel, question, name)) : NULL;
}

static bool open_by_sentinel(struct sender_access *access, size_t at, const struct endpoint *server)
{
        const char *name = access->redis->instances[at].name;
        redisContext *sentinel = open_connection(access->redis, server);
        struct endpoint master;

        if (sentinel == NULL)
                return false;
        redisReply *reply = ask_for_master(sentinel, access->redis, name);
        bool is_told = reply != NULL && redis_sentinel_read(reply, &master);
        if (reply != NULL && !is_told)
                fail(name, "a sentinel knows no such master, or tells no address and port");
        if (reply != NULL)
                freeReplyObject(reply);
        redisFree(sentinel);
        return is_told && open_server(access, at, &master);
}

static bool open_instance(struct sender_access *access, size_t at)
{
        const struct redis_settings *settings = access->redis;
        const struct redis_servers *servers = &settings->instances[at].servers;

        for (size_t i = 0; i < servers->count; i++)
                if (open_server(access, at, &servers->list[i]))
                        return true;
        for (size_t i = 0; servers->count == 0 && i < settings->sentinels.count; i++)
                if (open_by_sentinel(access, at, &settings->sentinels.list[i]))
                        return true;
        return false;
}

static redisContext *context_of(const struct sender_access *access, const struct sender_key *key)
{
        return access->contexts[sender_placing_find(&access->placing, key->unkeyed)];
}

static enum fact ask(struct sender_source *source, const struct sender_key *key, uint64_t handle,
                     struct sender_record *ret_record)
{
        struct sender_access *access = (struct sender_access *)source;
        redisContext *redis = context_of(access, key);
        struct sender_names names;

        (void)handle;
        sender_redis_put_names(&names, access->redis->prefix, key);
        redisReply *reply = checked(
            redis, redisCommand(redis, "MGET %b %b", names.keyed, names.length, names.unkeyed, names.length));
        if (reply == NULL)
                return FACT_FAILED;
        enum fact fact = sender_redis_read(reply, ret_record);
        freeReplyObject(reply);
        return fact;
}

size_t redis_access_reach(struct sender_access *access, const struct snapshot *snapshot)
{
        struct conf_complaints complaints = {0};
        size_t reached = 0;

        access->source.ask = ask;
        access->redis = redis_settings_make(snapshot, &complaints);
        if (access->redis == NULL && complaints.text != NULL)
                fputs(complaints.text, stderr);
        conf_complaints_end(&complaints);
        if (access->redis == NULL)
                return 0;
        for (size_t i = 0; i < access->redis->instance_count; i++) {
                sender_placing_add(&access->placing, span_from(access->redis->instances[i].name));
                reached += open_instance(access, i);
        }
        access->source.placing = &access->placing;
        return reached;
}

bool redis_access_open(struct sender_access *access, const struct snapshot *snapshot)
{
        size_t reached = redis_access_reach(access, snapshot);
        return access->redis != NULL && reached == access->redis->instance_count;
}

void redis_access_close(struct sender_access *access)
{
        for (size_t i = 0; i < SENDER_SHARES_MAX; i++)
                if (access->contexts[i] != NULL)
                        redisFree(access->contexts[i]);
        memset(access->contexts, 0, sizeof access->contexts);
        redis_settings_free(access->redis);
        access->redis = NULL;
}

/* ---- records ------------------------------------------------------------------------------------------- */

static void visit_one(const struct sender_access *access, redisContext *redis, const redisReply *name,
                      sender_visit *visit, void *context)
{
        struct span whole =
            name->type == REDIS_REPLY_STRING ? span_of(name->str, (size_t)name->len) : SPAN("");
        struct sender_record record;
        struct sender_key key;

        if (!span_hex(span_skip(whole, strlen(access->redis->prefix)), key.octets, sizeof key.octets))
                return;
        memcpy(key.unkeyed, key.octets, sizeof key.unkeyed);
        redisReply *reply = checked(redis, redisCommand(redis, "GET %b", whole.at, whole.length));
        if (reply != NULL && sender_redis_read_record(reply, &record))
                visit(context, &key, &record,
                      span_skip(span_of(reply->str, (size_t)reply->len), SENDER_RECORD_SIZE));
        if (reply != NULL)
                freeReplyObject(reply);
}

/* SCAN may give a key twice; that is no harm here. */
static bool each_of(const struct sender_access *access, redisContext *redis, sender_visit *visit,
                    void *context)
{
        char at[32] = "0";

        do {
                redisReply *reply = checked(
                    redis, redisCommand(redis, "SCAN %s MATCH %s* COUNT 1000", at, access->redis->prefix));
                if (reply == NULL)
                        return false;
                bool is_part = reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
                               reply->element[0]->type == REDIS_REPLY_STRING &&
                               reply->element[1]->type == REDIS_REPLY_ARRAY;
                if (!is_part) {
                        freeReplyObject(reply);
                        return fail("", "an answer to SCAN that is none");
                }
                snprintf(at, sizeof at, "%s", reply->element[0]->str);
                for (size_t i = 0; i < reply->element[1]->elements; i++)
                        visit_one(access, redis, reply->element[1]->element[i], visit, context);
                freeReplyObject(reply);
        } while (strcmp(at, "0") != 0);
        return true;
}

bool redis_access_each(struct sender_access *access, sender_visit *visit, void *context)
{
        for (size_t i = 0; i < access->redis->instance_count; i++)
                if (!each_of(access, access->contexts[i], visit, context))
                        return false;
        return true;
}

bool redis_access_merge(struct sender_access *access, const struct sender_effect *effect)
{
        redisContext *redis = context_of(access, &effect->key);
        uint8_t record[SENDER_RECORD_SIZE];
        struct sender_names names;

        sender_redis_put_names(&names, access->redis->prefix, &effect->key);
        sender_record_write(&effect->record, record);
        redisReply *reply =
            checked(redis, redisCommand(redis, "EVAL %s 2 %b %b %b %b", sender_redis_script, names.keyed,
                                        names.length, names.unkeyed, names.length, record, sizeof record,
                                        effect->text.at, effect->text.length));
        if (reply != NULL)
                freeReplyObject(reply);
        return reply != NULL;
}

/* The key is one that was visited: which instance has it is not told by it, and none other has it. */
bool redis_access_forget(struct sender_access *access, const struct sender_key *key)
{
        struct sender_names names;

        sender_redis_put_names(&names, access->redis->prefix, key);
        for (size_t i = 0; i < access->redis->instance_count; i++) {
                redisContext *redis = access->contexts[i];
                redisReply *reply = checked(redis, redisCommand(redis, "DEL %b", names.keyed, names.length));
                if (reply == NULL)
                        return false;
                freeReplyObject(reply);
        }
        return true;
}
