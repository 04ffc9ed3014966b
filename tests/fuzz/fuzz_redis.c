/* Fuzzes what a Redis answers: to the question for a record, for the secret of the keys, and for what other machines
 * have told. The input is what the server sends. Whole and in small pieces it must lead to the same end. hiredis
 * reads it from a socket, as it does in the server. */
#include "core/base/expect.h"
#include "core/senders/rate_notice.h"
#include "dns/clock.h"
#include "workers/senders/feed.h"
#include "workers/senders/secret.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length);

#define INPUT_MAX   16384
#define PIECE       5
#define REPLIES_MAX 4 /* to the questions that are asked */
/* hiredis takes memory for as many elements as the server says; a Redis of ours does not lie about that. */
#define COUNT_DIGITS_MAX 5
#define NOW_MS           UINT64_C(1000000)
#define NOW_WALL_MS      INT64_C(1767225600000)

/* One connection, and what came of it. */
struct play {
        struct sender_store store;
        struct sender_client client;
        struct sender_secrets secrets;
        struct sender_feed feed;
        struct sender_job job;
        redisAsyncContext *context; /* NULL: it has ended */
        unsigned answers, notices, believed;
};

static struct ledger_set sets[4];
static struct ledger ledger;
static const struct options options = {
    .client_rate_connections = {10, 60000},
    .client_rate_network_factor = 3,
    .client_rate_prefix4 = 24,
    .client_rate_prefix6 = 64,
    .client_rate_penalty_ms = 60000,
    .client_rate_penalty_max_ms = 3600000,
    .client_rate_penalty_forget_ms = 3600000,
};

static void hear(void *hearer, struct span notice)
{
        struct play *play = hearer;

        play->notices++;
        play->believed += rate_notice_hear(notice, &ledger, &options, NOW_MS, NOW_WALL_MS);
}

static void answered(redisAsyncContext *context, void *data, void *argument)
{
        struct play *play = context->data;

        if (data == NULL)
                return;
        play->answers++;
        sender_redis_read(data, argument);
}

static void connected(const redisAsyncContext *context, int status)
{
        (void)context;
        expect(status == REDIS_OK);
}

static void disconnected(const redisAsyncContext *context, int status)
{
        struct play *play = context->data;

        (void)status;
        play->context = NULL;
}

/* ---- the connection ------------------------------------------------------------------------------------ */

static struct sockaddr_un address = {.sun_family = AF_UNIX};

static void remove_socket(void)
{
        unlink(address.sun_path);
}

static int listener_get(void)
{
        static int listener = -1;

        if (listener >= 0)
                return listener;
        snprintf(address.sun_path, sizeof address.sun_path, "/tmp/gatepost-fuzz-redis-%d", (int)getpid());
        unlink(address.sun_path);
        listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        expect(listener >= 0 && bind(listener, (struct sockaddr *)&address, sizeof address) == 0 &&
               listen(listener, 4) == 0 && atexit(remove_socket) == 0);
        return listener;
}

static void ask_all(struct play *play)
{
        redisAsyncContext *context = play->context;

        expect(sender_redis_send(context, answered, &play->job, "gatepost:", ""));
        sender_secrets_ask(&play->secrets, context);
        expect(sender_feed_listen(&play->feed, context));
        redisAsyncHandleWrite(context);
        expect(play->context != NULL);
}

/* Returns the server's end. */
static int play_begin(struct play *play)
{
        *play = (struct play){
            .store = {.client_count = 1, .clients = &play->client, .hear = hear, .hearer = play},
            .job.kind = SENDER_JOB_ASK};
        /* As if it had just complained: nothing goes to the log. */
        play->store.complaint_ms = clock_monotonic_ms();
        memset(sets, 0, sizeof sets);
        ledger_init(&ledger, sets, sizeof sets, 1, 1000);
        sender_secrets_init(&play->secrets, &play->store, "gatepost:");
        sender_feed_init(&play->feed, &play->store, "gatepost:");
        memcpy(play->feed.origin, "0123456789abcdef", sizeof play->feed.origin);
        int listener = listener_get();
        play->context = redisAsyncConnectUnix(address.sun_path);
        expect(play->context != NULL && play->context->err == 0);
        play->context->data = play;
        redisAsyncSetConnectCallback(play->context, connected);
        redisAsyncSetDisconnectCallback(play->context, disconnected);
        int server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        expect(server >= 0);
        ask_all(play);
        return server;
}

static void play_run(struct play *play, struct span input, size_t piece)
{
        int server = play_begin(play);

        while (input.length > 0 && play->context != NULL) {
                size_t length = input.length < piece ? input.length : piece;
                expect(send(server, input.at, length, MSG_NOSIGNAL) == (ssize_t)length);
                input = span_skip(input, length);
                redisAsyncHandleRead(play->context);
        }
        close(server);
        if (play->context != NULL)
                redisAsyncFree(play->context);
}

/* ---- what is played ------------------------------------------------------------------------------------ */

static bool has_lies(struct span input)
{
        size_t digits = 0;
        bool is_count = false;

        for (size_t i = 0; i < input.length; i++) {
                is_count = input.at[i] == '*' || (is_count && input.at[i] >= '0' && input.at[i] <= '9');
                digits = is_count ? digits + 1 : 0;
                if (digits > COUNT_DIGITS_MAX)
                        return true;
        }
        return false;
}

/* As much as answers what was asked: hiredis ends the process when a server says more than that. */
static struct span take_replies(struct span input)
{
        redisReader *reader = redisReaderCreate();
        void *reply = NULL;

        expect(reader != NULL && redisReaderFeed(reader, input.at, input.length) == REDIS_OK);
        for (unsigned i = 0; i < REPLIES_MAX; i++) {
                if (redisReaderGetReply(reader, &reply) != REDIS_OK || reply == NULL) {
                        redisReaderFree(reader);
                        return input;
                }
                freeReplyObject(reply);
        }
        size_t rest = reader->len - reader->pos;
        redisReaderFree(reader);
        return span_of(input.at, input.length - rest);
}

static void expect_same(const struct play *whole, const struct play *pieces)
{
        expect(whole->answers == pieces->answers && whole->notices == pieces->notices &&
               whole->believed == pieces->believed && whole->job.fact == pieces->job.fact);
        expect(memcmp(&whole->job.record, &pieces->job.record, sizeof whole->job.record) == 0);
        expect(strcmp(whole->feed.last_id, pieces->feed.last_id) == 0);
        expect(whole->secrets.is_missing == pieces->secrets.is_missing &&
               (whole->secrets.kept == NULL) == (pieces->secrets.kept == NULL));
        expect(whole->believed <= whole->notices);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
        static struct play whole, pieces;
        struct span input = span_of((const char *)octets, length);

        if (length == 0 || length > INPUT_MAX || has_lies(input))
                return 0;
        input = take_replies(input);
        play_run(&whole, input, INPUT_MAX);
        play_run(&pieces, input, PIECE);
        expect_same(&whole, &pieces);
        sender_secrets_end(&whole.secrets);
        sender_secrets_end(&pieces.secrets);
        return 0;
}
