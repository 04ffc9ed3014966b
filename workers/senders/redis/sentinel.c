#include "workers/senders/redis/sentinel.h"

#include "conf/value/list.h"

#define ASK_EVERY_MS     1000 /* while its master serves */
#define HURRY_MS         200  /* and else */
#define ANSWER_MS        1000 /* a sentinel that is silent for so long, or does not let us connect, is left */
#define BACKOFF_FIRST_MS 50
#define BACKOFF_LAST_MS  1000

void redis_sentinel_init(struct redis_sentinel *sentinel, const struct redis_settings *settings,
                         const char *name, struct sender_trouble *trouble)
{
        *sentinel = (struct redis_sentinel){
            .settings = settings, .name = name, .trouble = trouble, .backoff_ms = BACKOFF_FIRST_MS};
}

static void blame(struct redis_sentinel *sentinel, const char *reason)
{
        redis_wire_blame(&sentinel->wire, reason);
        sentinel->must_leave = true;
}

/* ["ADDRESS", "PORT"] */
bool redis_sentinel_read(const redisReply *reply, struct endpoint *ret_master)
{
        uint64_t port;

        if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
            reply->element[0]->type != REDIS_REPLY_STRING || reply->element[1]->type != REDIS_REPLY_STRING)
                return false;
        const redisReply *host = reply->element[0], *number = reply->element[1];
        if (!address_parse(span_of(host->str, (size_t)host->len), &ret_master->address) ||
            !span_number(span_of(number->str, (size_t)number->len), &port) || port < 1 || port > UINT16_MAX)
                return false;
        ret_master->port = (uint16_t)port;
        return true;
}

static void let_in(redisAsyncContext *context, void *data, void *argument)
{
        struct redis_sentinel *sentinel = argument;

        (void)context;
        if (data == NULL)
                return;
        if (!redis_wire_is_let_in(&sentinel->wire, data))
                sentinel->must_leave = true;
}

/* `data` is NULL when the connection has ended. */
static void told(redisAsyncContext *context, void *data, void *argument)
{
        struct redis_sentinel *sentinel = argument;
        const redisReply *reply = data;
        struct endpoint master = {0};

        (void)context;
        sentinel->is_asked = false;
        if (reply == NULL)
                return;
        if (reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "NOAUTH", 6) == 0 &&
            sentinel->settings->password[0] != '\0' && !sentinel->has_greeted) {
                sentinel->has_greeted = true; /* and is asked again */
                if (!redis_wire_greet(&sentinel->wire, sentinel->settings, let_in))
                        sentinel->must_leave = true;
                sentinel->ask_at_ms = 0;
        } else if (reply->type == REDIS_REPLY_ERROR) {
                blame(sentinel, reply->str);
        } else if (reply->type == REDIS_REPLY_NIL) {
                blame(sentinel, "it knows no such master");
        } else if (!redis_sentinel_read(reply, &master)) {
                blame(sentinel, "what it tells is no address and port");
        } else {
                sentinel->master = master;
                sentinel->has_told = true;
        }
}

static void ask(struct redis_sentinel *sentinel, uint64_t now_ms)
{
        sentinel->is_asked = true;
        sentinel->asked_ms = now_ms;
        if (redisAsyncCommand(sentinel->wire.context, told, sentinel, "SENTINEL get-master-addr-by-name %s",
                              sentinel->name) != REDIS_OK) {
                sentinel->is_asked = false;
                blame(sentinel, "it cannot be asked");
        }
}

static void complain(const struct redis_sentinel *sentinel)
{
        char server[ENDPOINT_TEXT_MAX], octets[sizeof server + REDIS_WIRE_REASON_MAX + 2];

        endpoint_write(&sentinel->wire.server.address, sentinel->wire.server.port, server);
        snprintf(octets, sizeof octets, "%s: %s", server, sentinel->wire.reason);
        sender_complain(sentinel->trouble, "sender_sentinel_failed", octets);
}

/* The next sentinel is asked after a while that grows as long as none tells of one that serves. */
static void leave(struct redis_sentinel *sentinel, uint64_t now_ms)
{
        redis_wire_close(&sentinel->wire);
        if (sentinel->wire.reason[0] != '\0')
                complain(sentinel);
        sentinel->is_begun = sentinel->is_asked = sentinel->must_leave = sentinel->has_told = false;
        sentinel->has_greeted = false;
        sentinel->at = (sentinel->at + 1) % sentinel->settings->sentinels.count;
        sentinel->ask_at_ms = now_ms + sentinel->backoff_ms;
        if (sentinel->backoff_ms < BACKOFF_LAST_MS)
                sentinel->backoff_ms *= 2;
}

void redis_sentinel_turn(struct redis_sentinel *sentinel, bool is_served, uint64_t now_ms)
{
        struct redis_wire *wire = &sentinel->wire;

        if (!sentinel->is_begun) {
                if (now_ms < sentinel->ask_at_ms)
                        return;
                sentinel->is_begun = true;
                if (redis_wire_open(wire, sentinel->settings,
                                    &sentinel->settings->sentinels.list[sentinel->at]))
                        ask(sentinel, now_ms);
        }
        if (sentinel->is_asked && now_ms - sentinel->asked_ms >= ANSWER_MS)
                blame(sentinel, "no answer");
        if (wire->context == NULL || sentinel->must_leave) {
                leave(sentinel, now_ms);
                return;
        }
        if (!sentinel->is_asked && now_ms >= sentinel->ask_at_ms) {
                sentinel->ask_at_ms = now_ms + (is_served ? ASK_EVERY_MS : HURRY_MS);
                ask(sentinel, now_ms);
        } else if (!is_served && sentinel->ask_at_ms > now_ms + HURRY_MS) {
                sentinel->ask_at_ms = now_ms + HURRY_MS;
        }
}

bool redis_sentinel_take(struct redis_sentinel *sentinel, struct endpoint *ret_master)
{
        bool has_told = sentinel->has_told;

        sentinel->has_told = false;
        if (has_told)
                *ret_master = sentinel->master;
        return has_told;
}

void redis_sentinel_confirm(struct redis_sentinel *sentinel)
{
        sentinel->backoff_ms = BACKOFF_FIRST_MS;
        sentinel->trouble->told_ms = 0; /* the next trouble is news again */
}

void redis_sentinel_reject(struct redis_sentinel *sentinel)
{
        sentinel->must_leave = sentinel->is_begun;
}

uint64_t redis_sentinel_wait_ms(const struct redis_sentinel *sentinel, uint64_t now_ms)
{
        uint64_t at_ms = sentinel->is_asked ? sentinel->asked_ms + ANSWER_MS : sentinel->ask_at_ms;
        return at_ms > now_ms ? at_ms - now_ms : 0;
}
