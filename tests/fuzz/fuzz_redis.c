/* Fuzzes what a Redis answers: to the question for a record, for the secret of the keys, and for what other machines
 * have told. The input is what the server sends, also more than was asked for, and lists of any length. Whole and in
 * small pieces it must lead to the same end. hiredis reads it from a socket, as it does in the server. */
#include "core/base/expect.h"
#include "core/senders/rate_notice.h"
#include "dns/clock.h"
#include "workers/senders/feed.h"
#include "workers/senders/redis/wire.h"
#include "workers/senders/secret.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length);

#define INPUT_MAX   16384
#define PIECE       5
#define NOW_MS      UINT64_C(1000000)
#define NOW_WALL_MS INT64_C(1767225600000)

/* One connection, and what came of it. */
struct play {
        struct redis_wire wire; /* first: the contexts' data; guards what the server says */
        struct sender_store store;
        struct sender_client client;
        struct sender_trouble trouble;
        struct sender_share share;
        struct sender_secrets secrets;
        struct sender_secret_question secret;
        struct sender_feed feed;
        struct sender_job job;
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
        struct sender_job *job = argument;
        job->fact = sender_redis_read(data, &job->record);
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
        play->wire.context = NULL;
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
        redisAsyncContext *context = play->wire.context;

        expect(sender_redis_send(context, answered, &play->job, "gatepost:", ""));
        sender_secrets_ask(&play->secrets, &play->secret, context);
        expect(sender_feed_listen(&play->feed, context));
        redisAsyncHandleWrite(context);
        expect(play->wire.context != NULL);
}

/* Returns the server's end. */
static int play_begin(struct play *play)
{
        *play = (struct play){.store = {.client_count = 1,
                                        .clients = &play->client,
                                        .hear = hear,
                                        .hearer = play,
                                        .origin = "0123456789abcdef"},
                              .job.kind = SENDER_JOB_ASK};
        /* As if it had just complained: nothing goes to the log. */
        play->trouble.told_ms = clock_monotonic_ms();
        memset(sets, 0, sizeof sets);
        ledger_init(&ledger, sets, sizeof sets, 1, 1000);
        sender_secrets_init(&play->secrets, &play->share, "gatepost:");
        sender_feed_init(&play->feed, &play->store, &play->trouble, "gatepost:");
        sender_feed_begin(&play->feed, NULL, false);
        int listener = listener_get();
        redisAsyncContext *context = redisAsyncConnectUnix(address.sun_path);
        expect(context != NULL && context->err == 0);
        redis_wire_guard(&play->wire, context);
        redisAsyncSetConnectCallback(play->wire.context, connected);
        redisAsyncSetDisconnectCallback(play->wire.context, disconnected);
        int server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        expect(server >= 0);
        ask_all(play);
        return server;
}

static void play_run(struct play *play, struct span input, size_t piece)
{
        int server = play_begin(play);

        while (input.length > 0 && play->wire.context != NULL) {
                size_t length = input.length < piece ? input.length : piece;
                expect(send(server, input.at, length, MSG_NOSIGNAL) == (ssize_t)length);
                input = span_skip(input, length);
                redis_wire_handle(&play->wire, POLLIN);
        }
        close(server);
        if (play->wire.context != NULL)
                redisAsyncFree(play->wire.context);
}

/* ---- what is played ------------------------------------------------------------------------------------ */

static void expect_same(const struct play *whole, const struct play *pieces)
{
        expect(whole->answers == pieces->answers && whole->notices == pieces->notices &&
               whole->believed == pieces->believed && whole->job.fact == pieces->job.fact);
        expect(memcmp(&whole->job.record, &pieces->job.record, sizeof whole->job.record) == 0);
        expect(strcmp(whole->feed.last_id, pieces->feed.last_id) == 0);
        expect(whole->secret.is_missing == pieces->secret.is_missing &&
               whole->secret.is_found == pieces->secret.is_found);
        expect(memcmp(whole->secret.found.octets, pieces->secret.found.octets, SENDER_SECRET_SIZE) == 0);
        expect(whole->believed <= whole->notices);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
        static struct play whole, pieces;
        struct span input = span_of((const char *)octets, length);

        if (length == 0 || length > INPUT_MAX)
                return 0;
        play_run(&whole, input, INPUT_MAX);
        play_run(&pieces, input, PIECE);
        expect_same(&whole, &pieces);
        sender_secrets_end(&whole.secrets);
        sender_secrets_end(&pieces.secrets);
        return 0;
}
