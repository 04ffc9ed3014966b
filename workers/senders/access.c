/* Waiting for the store of senders, outside of the server. */
#include "workers/senders/access.h"

#include "workers/senders/redis_job.h"

#include <hiredis/hiredis.h>
#include <sys/stat.h>

#define WAIT_SECONDS 5
#define FORGET_BATCH 1000 /* for the server's writer waits meanwhile */

static bool fail(const char *reason)
{
        fprintf(stderr, "gatepost: the store of senders: %s\n", reason);
        return false;
}

/* ---- lmdb ---------------------------------------------------------------------------------------------- */

static enum fact ask_lmdb(struct sender_source *source, const struct sender_key *key, uint64_t handle,
                          struct sender_record *ret_record)
{
        struct sender_access *access = (struct sender_access *)source;

        (void)handle;
        return sender_lmdb_get(&access->lmdb, access->reader, key, ret_record);
}

static void apply_nothing(struct sender_source *source, const struct sender_effect *effect)
{
        (void)source, (void)effect;
}

static bool open_lmdb(struct sender_access *access, const struct snapshot *snapshot, bool is_read_only)
{
        int error = sender_lmdb_open(&access->lmdb, snapshot->sender_store.path,
                                     snapshot->options.sender_size_octets, is_read_only);

        if (error != 0)
                return fail(mdb_strerror(error));
        access->reader = sender_lmdb_reader(&access->lmdb);
        access->source.ask = ask_lmdb;
        access->source.secret = sender_lmdb_secret(&access->lmdb);
        return access->reader != NULL || fail("too many readers");
}

static struct span text_lmdb(struct sender_access *access, MDB_val *name)
{
        MDB_val text;
        if (mdb_get(access->reader, access->lmdb.texts, name, &text) != 0)
                return SPAN("");
        return span_of(text.mv_data, text.mv_size);
}

static bool each_lmdb(struct sender_access *access, sender_visit *visit, void *context)
{
        MDB_cursor *cursor;
        MDB_val name, value;
        struct sender_record record;
        struct sender_key key;
        int error = mdb_txn_renew(access->reader);

        if (error == 0 && (error = mdb_cursor_open(access->reader, access->lmdb.records, &cursor)) == 0) {
                while ((error = mdb_cursor_get(cursor, &name, &value, MDB_NEXT)) == 0) {
                        if (name.mv_size != sizeof key.octets || value.mv_size != SENDER_RECORD_SIZE)
                                continue;
                        memcpy(key.octets, name.mv_data, sizeof key.octets);
                        memcpy(key.unkeyed, name.mv_data, sizeof key.unkeyed);
                        sender_record_read(value.mv_data, &record);
                        visit(context, &key, &record, text_lmdb(access, &name));
                }
                mdb_cursor_close(cursor);
        }
        mdb_txn_reset(access->reader);
        return error == MDB_NOTFOUND || fail(mdb_strerror(error));
}

static bool merge_lmdb(struct sender_access *access, const struct sender_effect *effect)
{
        MDB_txn *txn;
        int error = mdb_txn_begin(access->lmdb.env, NULL, 0, &txn);

        if (error == 0 && (error = sender_lmdb_merge(&access->lmdb, txn, effect)) != 0)
                mdb_txn_abort(txn);
        else if (error == 0)
                error = mdb_txn_commit(txn);
        return error == 0 || fail(mdb_strerror(error));
}

static bool forget_lmdb(struct sender_access *access, const struct sender_key *keys, size_t count)
{
        MDB_txn *txn;
        int error = mdb_txn_begin(access->lmdb.env, NULL, 0, &txn);

        for (size_t i = 0; i < count && error == 0; i++) {
                error = sender_lmdb_forget(&access->lmdb, txn, &keys[i]);
                if (error != 0)
                        mdb_txn_abort(txn);
        }
        if (error == 0)
                error = mdb_txn_commit(txn);
        return error == 0 || fail(mdb_strerror(error));
}

/* ---- redis --------------------------------------------------------------------------------------------- */

/* NULL, with the reason on stderr, for errors. */
static redisReply *checked(struct sender_access *access, redisReply *reply)
{
        if (reply == NULL)
                fail(access->redis->errstr);
        else if (reply->type == REDIS_REPLY_ERROR)
                fail(reply->str);
        else
                return reply;
        if (reply != NULL)
                freeReplyObject(reply);
        return NULL;
}

static bool read_value(const redisReply *reply, struct sender_record *ret_record)
{
        if (reply->type != REDIS_REPLY_STRING || (size_t)reply->len < SENDER_RECORD_SIZE)
                return false;
        sender_record_read((const uint8_t *)reply->str, ret_record);
        return true;
}

static enum fact ask_redis(struct sender_source *source, const struct sender_key *key, uint64_t handle,
                           struct sender_record *ret_record)
{
        struct sender_access *access = (struct sender_access *)source;
        struct sender_names names;

        (void)handle;
        sender_redis_put_names(&names, access->prefix, key);
        redisReply *reply = checked(access, redisCommand(access->redis, "MGET %b %b", names.keyed,
                                                         names.length, names.unkeyed, names.length));
        if (reply == NULL)
                return FACT_FAILED;
        bool is_found = false;
        for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements && !is_found; i++)
                is_found = read_value(reply->element[i], ret_record);
        freeReplyObject(reply);
        return is_found ? FACT_FOUND : FACT_ABSENT;
}

static bool connect_redis(struct sender_access *access, const struct endpoint *server, const char *password)
{
        const struct timeval timeout = {.tv_sec = WAIT_SECONDS};
        char address[ADDRESS_TEXT_MAX + 1];

        address_write_string(&server->address, address);
        access->redis = redisConnectWithTimeout(address, server->port, timeout);
        if (access->redis == NULL || access->redis->err != 0)
                return fail(access->redis == NULL ? "out of memory" : access->redis->errstr);
        redisSetTimeout(access->redis, timeout);
        redisReply *reply =
            checked(access, password[0] == '\0' ? redisCommand(access->redis, "PING")
                                                : redisCommand(access->redis, "AUTH %s", password));
        if (reply != NULL)
                freeReplyObject(reply);
        return reply != NULL;
}

/* As the server does it. */
static bool read_secret(struct sender_access *access)
{
        uint8_t octets[SENDER_SECRET_SIZE];
        char name[SENDER_NAME_MAX];
        size_t length = sender_redis_put_secret_name(name, access->prefix);

        sender_secret_choose(octets);
        redisReply *reply =
            checked(access, redisCommand(access->redis, "SET %b %b NX", name, length, octets, sizeof octets));
        if (reply == NULL)
                return false;
        freeReplyObject(reply);
        reply = checked(access, redisCommand(access->redis, "GET %b", name, length));
        bool is_read = reply != NULL && sender_redis_read_secret(reply, &access->secret);
        if (reply != NULL && !is_read)
                fail("it has no secret for its keys");
        if (reply != NULL)
                freeReplyObject(reply);
        access->source.secret = &access->secret;
        return is_read;
}

static bool open_redis(struct sender_access *access, const struct snapshot *snapshot)
{
        const struct endpoint_list *servers = &snapshot->sender_store.servers;

        access->prefix = snapshot->options.sender_prefix;
        access->source.ask = ask_redis;
        for (size_t i = 0; i < servers->count; i++) {
                if (connect_redis(access, &servers->endpoints[i], snapshot->options.sender_password) &&
                    read_secret(access))
                        return true;
                if (access->redis != NULL)
                        redisFree(access->redis);
                access->redis = NULL;
        }
        return false;
}

static bool hexadecimal_read(struct span text, uint8_t *octets, size_t count)
{
        for (size_t i = 0; i < count; i++)
                if (text.length < 2 * count || sscanf(text.at + 2 * i, "%2hhx", &octets[i]) != 1)
                        return false;
        return text.length == 2 * count;
}

static void visit_redis(struct sender_access *access, const redisReply *name, sender_visit *visit,
                        void *context)
{
        struct span hexadecimal = span_skip(span_of(name->str, (size_t)name->len), strlen(access->prefix));
        struct sender_record record;
        struct sender_key key;

        if (!hexadecimal_read(hexadecimal, key.octets, sizeof key.octets))
                return;
        memcpy(key.unkeyed, key.octets, sizeof key.unkeyed);
        redisReply *reply =
            checked(access, redisCommand(access->redis, "GET %b", name->str, (size_t)name->len));
        if (reply != NULL && read_value(reply, &record))
                visit(context, &key, &record,
                      span_skip(span_of(reply->str, (size_t)reply->len), SENDER_RECORD_SIZE));
        if (reply != NULL)
                freeReplyObject(reply);
}

/* SCAN may give a key twice; that is no harm here. */
static bool each_redis(struct sender_access *access, sender_visit *visit, void *context)
{
        char at[32] = "0";

        do {
                redisReply *reply = checked(
                    access, redisCommand(access->redis, "SCAN %s MATCH %s* COUNT 1000", at, access->prefix));
                if (reply == NULL)
                        return false;
                if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2)
                        strcpy(at, "0");
                else
                        snprintf(at, sizeof at, "%s", reply->element[0]->str);
                for (size_t i = 0; reply->elements == 2 && i < reply->element[1]->elements; i++)
                        visit_redis(access, reply->element[1]->element[i], visit, context);
                freeReplyObject(reply);
        } while (strcmp(at, "0") != 0);
        return true;
}

static bool merge_redis(struct sender_access *access, const struct sender_effect *effect)
{
        uint8_t record[SENDER_RECORD_SIZE];
        struct sender_names names;

        sender_redis_put_names(&names, access->prefix, &effect->key);
        sender_record_write(&effect->record, record);
        redisReply *reply =
            checked(access, redisCommand(access->redis, "EVAL %s 2 %b %b %b %b", sender_redis_script,
                                         names.keyed, names.length, names.unkeyed, names.length, record,
                                         sizeof record, effect->text.at, effect->text.length));
        if (reply != NULL)
                freeReplyObject(reply);
        return reply != NULL;
}

static bool forget_redis(struct sender_access *access, const struct sender_key *key)
{
        struct sender_names names;

        sender_redis_put_names(&names, access->prefix, key);
        redisReply *reply = checked(access, redisCommand(access->redis, "DEL %b", names.keyed, names.length));

        if (reply != NULL)
                freeReplyObject(reply);
        return reply != NULL;
}

/* ---- either -------------------------------------------------------------------------------------------- */

bool sender_access_open(struct sender_access *access, const struct snapshot *snapshot, bool is_read_only)
{
        bool is_open = false;

        *access = (struct sender_access){.kind = snapshot->sender_store.kind, .source.apply = apply_nothing};
        if (access->kind == SENDER_STORE_LMDB)
                is_open = open_lmdb(access, snapshot, is_read_only);
        else if (access->kind == SENDER_STORE_REDIS)
                is_open = open_redis(access, snapshot);
        else
                fail("the configuration names none (sender_store)");
        if (!is_open)
                sender_access_close(access);
        return is_open;
}

void sender_access_close(struct sender_access *access)
{
        if (access->reader != NULL)
                mdb_txn_abort(access->reader);
        sender_lmdb_close(&access->lmdb);
        if (access->redis != NULL)
                redisFree(access->redis);
        access->reader = NULL;
        access->redis = NULL;
}

bool sender_access_each(struct sender_access *access, sender_visit *visit, void *context)
{
        return access->kind == SENDER_STORE_LMDB ? each_lmdb(access, visit, context)
                                                 : each_redis(access, visit, context);
}

bool sender_access_merge(struct sender_access *access, const struct sender_effect *effect)
{
        return access->kind == SENDER_STORE_LMDB ? merge_lmdb(access, effect) : merge_redis(access, effect);
}

bool sender_access_forget(struct sender_access *access, const struct sender_key *keys, size_t count)
{
        for (size_t i = 0; i < count;) {
                size_t batch = count - i < FORGET_BATCH ? count - i : FORGET_BATCH;
                if (access->kind == SENDER_STORE_REDIS)
                        batch = 1;
                if (!(access->kind == SENDER_STORE_LMDB ? forget_lmdb(access, keys + i, batch)
                                                        : forget_redis(access, keys + i)))
                        return false;
                i += batch;
        }
        return true;
}
