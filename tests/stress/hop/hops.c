/* A hop thread with next hops that answer, refuse, close, hang and lie. */
#include "tests/stress/hop/fixture.h"
#include "tests/stress/tls/peers.h"

/* ---- tests --------------------------------------------------------------------------------------------- */

#define HELLO "S: 220 hi\nC: LHLO mx.isp.example\nS: 250-hi\nS: 250 PIPELINING\n"
#define MAIL  "C: MAIL FROM:<me@example.com>\n"
#define RCPT  "C: RCPT TO:<"
#define OPENS MAIL RCPT "a@isp.example>\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 354 go\n"
#define TAKES OPENS "T:\nS: 250 2.0.0 taken\n"

static void deliver_one(const struct next_hop *targets, size_t count)
{
        struct transfer *transfer = open_one(targets, count, 1, true);

        finish(transfer, SPAN("x\r\n"));
        expect_fate(transfer, 0, FATE_DELIVERED, 250);
        free(transfer);
}

static void fail_one(const struct next_hop *target, enum hop_fate fate, unsigned code)
{
        struct transfer *transfer = open_one(target, 1, 1, false);

        expect_fate(transfer, 0, fate, code);
        free(transfer);
}

static void test_delivered_on_one_connection(void)
{
        struct peer peer;

        begin(&settings);
        peer_begin(&peer, HOP_LMTP, HELLO TAKES TAKES "C: QUIT\n");
        struct transfer *transfer = open_one(&peer.hop, 1, 1, true);
        finish(transfer, SPAN("Subject: x\r\n\r\n.\r\nend"));
        expect_fate(transfer, 0, FATE_DELIVERED, 250);
        expect(strcmp(transfer->answers[transfer->recipients[0].answer].text, "taken") == 0);
        expect(strcmp(peer.text, "Subject: x\r\n\r\n..\r\nend\r\n.\r\n") == 0);
        free(transfer);
        deliver_one(&peer.hop, 1);
        end();
        expect(peer.connections == 1);
        peer_end(&peer);
}

/* Nobody gets the mail where one is refused, and the connection goes on. */
static void test_refused_at_rcpt(void)
{
        struct peer peer;

        begin(&settings);
        peer_begin(
            &peer, HOP_LMTP,
            HELLO MAIL RCPT
            "a@\n" RCPT "b@\nS: 250 ok\nS: 250 ok\nS: 550 5.1.1 who is b?\nC: RSET\nS: 250 ok\n" MAIL RCPT
            "a@\nC: DATA\nS: 250 ok\nS: 452 4.2.2 full\nS: 503 no\n"
            "C: RSET\nS: 250 ok\nC: MAIL\nC: RCPT\nC: DATA\nS: 451 4.0.0 later\nS: 503 no\nS: 503 no\n" TAKES
            "C: QUIT\n");
        struct transfer *transfer = open_one(&peer.hop, 1, 2, false);
        expect_fate(transfer, 0, FATE_ABANDONED, 0);
        expect_fate(transfer, 1, FATE_REFUSED, 550);
        expect(strcmp(transfer->recipients[1].enhanced, "5.1.1") == 0);
        free(transfer);
        fail_one(&peer.hop, FATE_DEFERRED, 452);
        fail_one(&peer.hop, FATE_DEFERRED, 451);
        deliver_one(&peer.hop, 1);
        end();
        expect(peer.connections == 1);
        peer_end(&peer);
}

static void test_mixed_answers_to_the_dot(void)
{
        struct peer peer;

        begin(&settings);
        peer_begin(&peer, HOP_LMTP,
                   HELLO MAIL RCPT "a@\n" RCPT "b@\n" RCPT
                                   "c@\nS: 250 ok\nS: 250 ok\nS: 250 ok\nS: 250 ok\nC: DATA\nS: 354 go\n"
                                   "T:\nS: 250 2.0.0 taken\nS: 452 4.2.2 full\nS: 554 5.6.0 no\nC: QUIT\n");
        struct transfer *transfer = open_one(&peer.hop, 1, 3, true);
        finish(transfer, SPAN("x\r\n"));
        expect_fate(transfer, 0, FATE_DELIVERED, 250);
        expect_fate(transfer, 1, FATE_DEFERRED, 452);
        expect_fate(transfer, 2, FATE_REFUSED, 554);
        free(transfer);
        end();
        peer_end(&peer);
}

static void test_dead_ones_are_passed_over(void)
{
        struct next_hop targets[2] = {peer_nobody(HOP_LMTP)};
        struct peer peer;

        begin(&settings);
        peer_begin(&peer, HOP_LMTP, HELLO TAKES TAKES TAKES TAKES "C: QUIT\n");
        targets[1] = peer.hop;
        targets[1].weight = 0;
        for (int i = 0; i < 4; i++)
                deliver_one(targets, 2);
        struct transfer *transfer = open_one(targets, 1, 2, false);
        expect_fate(transfer, 0, FATE_BROKEN, 0);
        expect_fate(transfer, 1, FATE_BROKEN, 0);
        free(transfer);
        end();
        peer_end(&peer);
}

/* What is idle may be closed at the very moment in which it gets a message: that is no failure. */
static void test_what_was_idle_is_closed(void)
{
        struct peer peer;

        begin(&settings);
        peer_begin(&peer, HOP_LMTP, HELLO TAKES "C: MAIL\nX:\n" HELLO TAKES "C: QUIT\n");
        deliver_one(&peer.hop, 1);
        deliver_one(&peer.hop, 1);
        end();
        expect(peer.connections == 2);
        peer_end(&peer);
}

/* Before the go-ahead another one is asked; after it the text is gone. */
static void test_closed_in_the_middle(void)
{
        struct peer first, second;
        struct next_hop targets[2];

        begin(&settings);
        peer_begin(&first, HOP_LMTP, HELLO "C: MAIL\nX:\n");
        peer_begin(&second, HOP_LMTP, HELLO OPENS "O: 3\nX:\n" HELLO OPENS "T:\nX:\n");
        targets[0] = first.hop;
        targets[1] = second.hop;
        targets[1].weight = 0;
        struct transfer *transfer = open_one(targets, 2, 1, true);
        post(transfer, TRANSFER_APPEND, SPAN("x\r\n"));
        take(transfer, TRANSFER_APPEND);
        peer_await(&second, 12);
        post(transfer, TRANSFER_APPEND, SPAN("y\r\n"));
        take(transfer, TRANSFER_APPEND); /* the turn behind this one hears first that it has closed */
        finish(transfer, SPAN("z\r\n"));
        expect_fate(transfer, 0, FATE_BROKEN, 0);
        free(transfer);
        transfer = open_one(&second.hop, 1, 1, true);
        finish(transfer, SPAN("y\r\n"));
        expect_fate(transfer, 0, FATE_UNKNOWN, 0);
        free(transfer);
        end();
        peer_end(&first);
        peer_end(&second);
}

static void test_garbage_and_refusals_to_serve(void)
{
        struct peer peer;

        begin(&settings);
        peer_begin(&peer, HOP_LMTP, "S: SSH-2.0-OpenSSH\nE:\nS: 554 go away\nC: QUIT\nX:\n");
        for (int i = 0; i < 2; i++)
                fail_one(&peer.hop, FATE_BROKEN, 0);
        end();
        expect(peer.connections == 2);
        peer_end(&peer);
}

/* A hung target holds up nobody else, and is left when its time is over. */
static void test_hung_one_beside_another(void)
{
        struct hop_settings impatient = settings;
        struct peer hung, other;

        impatient.open_ms = 5000; /* the other one's too */
        begin(&impatient);
        peer_begin(&hung, HOP_LMTP, "W:\n");
        peer_begin(&other, HOP_LMTP, HELLO TAKES TAKES "C: QUIT\n");
        struct transfer *transfer = make(&hung.hop, 1, 1);
        post(transfer, TRANSFER_OPEN, SPAN(""));
        deliver_one(&other.hop, 1);
        take(transfer, TRANSFER_OPEN);
        expect(!transfer->is_open);
        expect_fate(transfer, 0, FATE_BROKEN, 0);
        free(transfer);
        deliver_one(&other.hop, 1);
        end();
        peer_go_on(&hung);
        peer_end(&hung);
        peer_end(&other);
}

/* In the queue, while it opens, and in the text: nothing of it is delivered. */
static void test_aborts(void)
{
        struct hop_settings narrow = settings;
        struct peer peer;

        narrow.connections_max = 1;
        begin(&narrow);
        peer_begin(&peer, HOP_LMTP,
                   HELLO MAIL RCPT "a@isp.example>\nC: DATA\nW:\nE:\n" HELLO OPENS "O: 3\nE:\n" HELLO TAKES
                                   "C: QUIT\n");
        struct transfer *opens = make(&peer.hop, 1, 1), *waits = make(&peer.hop, 1, 1);
        post(opens, TRANSFER_OPEN, SPAN(""));
        post(waits, TRANSFER_OPEN, SPAN(""));
        peer_await(&peer, 7);
        post(waits, TRANSFER_ABORT, SPAN(""));
        take(waits, TRANSFER_OPEN);
        take(waits, TRANSFER_ABORT);
        post(opens, TRANSFER_ABORT, SPAN(""));
        take(opens, TRANSFER_OPEN);
        take(opens, TRANSFER_ABORT);
        free(waits);
        free(opens);
        peer_go_on(&peer);
        struct transfer *texts = open_one(&peer.hop, 1, 1, true);
        post(texts, TRANSFER_APPEND, SPAN("x\r\n"));
        take(texts, TRANSFER_APPEND);
        peer_await(&peer, 20);
        abandon(texts);
        deliver_one(&peer.hop, 1);
        end();
        peer_end(&peer);
}

/* More than sockets hold, to one that reads only when all of it has been given. */
static void deliver_long_text(struct peer *peer)
{
        enum { PIECES = 60, PIECE = 100000 };
        static char piece[PIECE + 1];

        for (size_t i = 0; i < PIECE; i++)
                piece[i] = (char)(i % 100 == 98 ? '\r' : i % 100 == 99 ? '\n' : 'x');
        struct transfer *transfer = open_one(&peer->hop, 1, 1, true);
        for (int i = 0; i < PIECES; i++)
                post(transfer, TRANSFER_APPEND, span_of(piece, PIECE));
        post(transfer, TRANSFER_STORE, SPAN("end\r\n"));
        peer_go_on(peer);
        for (int i = 0; i < PIECES; i++)
                take(transfer, TRANSFER_APPEND);
        take(transfer, TRANSFER_STORE);
        expect_fate(transfer, 0, FATE_DELIVERED, 250);
        expect(peer->text_length == (size_t)PIECES * PIECE + strlen("end\r\n.\r\n"));
        free(transfer);
}

/* It waits here, and comes whole. */
static void test_long_text_to_a_slow_reader(void)
{
        struct peer peer;

        begin(&settings);
        peer_begin(&peer, HOP_LMTP, HELLO OPENS "W:\nT:\nS: 250 ok\nC: QUIT\n");
        deliver_long_text(&peer);
        end();
        peer_end(&peer);
}

/* Many at a time share a few connections. */
static void test_many_wait_for_few_connections(void)
{
        struct hop_settings narrow = settings;
        struct transfer *transfers[6];
        struct peer peer;

        narrow.connections_max = 1;
        narrow.waiting_max = 5;
        begin(&narrow);
        peer_begin(&peer, HOP_LMTP, "W:\n" HELLO TAKES TAKES TAKES TAKES TAKES "C: QUIT\n");
        for (int i = 0; i < 6; i++) {
                transfers[i] = make(&peer.hop, 1, 1);
                post(transfers[i], TRANSFER_OPEN, SPAN(""));
        }
        take(transfers[5], TRANSFER_OPEN);
        expect_fate(transfers[5], 0, FATE_BROKEN, 0);
        peer_go_on(&peer);
        for (int i = 0; i < 5; i++) {
                take(transfers[i], TRANSFER_OPEN);
                finish(transfers[i], SPAN("x\r\n"));
                expect_fate(transfers[i], 0, FATE_DELIVERED, 250);
        }
        for (int i = 0; i < 6; i++)
                free(transfers[i]);
        end();
        expect(peer.connections == 1);
        peer_end(&peer);
}

/* ---- TLS ----------------------------------------------------------------------------------------------- */

#define SECURES                                                                                              \
        "S: 220 hi\nC: LHLO mx.isp.example\nS: 250-hi\nS: 250-PIPELINING\nS: 250 STARTTLS\nC: STARTTLS\n"    \
        "S: 220 go\n"
#define SECURED SECURES "L:\nC: LHLO mx.isp.example\nS: 250-hi\nS: 250 PIPELINING\n"

static struct hop_settings with_tls(enum hop_starttls starttls)
{
        struct hop_settings secured = settings;

        secured.starttls = starttls;
        secured.tls = tls_peers_client(TLS1_3_VERSION);
        secured.failures_max = 100;
        return secured;
}

/* In records. */
static void test_long_text_by_tls(void)
{
        struct hop_settings secured = with_tls(HOP_STARTTLS_MAY);
        struct peer peer;

        begin(&secured);
        peer_begin(&peer, HOP_LMTP, SECURED TAKES OPENS "W:\nT:\nS: 250 ok\nC: QUIT\n");
        deliver_one(&peer.hop, 1);
        deliver_long_text(&peer);
        end();
        expect(peer.connections == 1);
        peer_end(&peer);
        SSL_CTX_free(secured.tls);
}

/* Who has signed its certificate is not known: the handshake is left, and so is one that hangs. */
static void test_handshakes_that_fail(void)
{
        struct hop_settings secured = with_tls(HOP_STARTTLS_MUST);
        struct peer peer;

        secured.patience_ms[HOP_PATIENCE_handshake] = 300;
        begin(&secured);
        peer_begin(&peer, HOP_LMTP, SECURES "L:\nX:\n" SECURES "E:\n" SECURES "O: 1\nX:\n");
        for (int i = 0; i < 3; i++)
                fail_one(&peer.hop, FATE_BROKEN, 0);
        end();
        expect(peer.connections == 3);
        peer_end(&peer);
        SSL_CTX_free(secured.tls);
}

/* One that may be in plain text is, behind a handshake that has failed. */
static void test_plain_text_behind_a_failed_handshake(void)
{
        struct hop_settings secured = with_tls(HOP_STARTTLS_MAY);
        struct peer peer;

        begin(&secured);
        peer_begin(&peer, HOP_LMTP, SECURES "O: 1\nX:\n" HELLO TAKES TAKES "C: QUIT\n");
        deliver_one(&peer.hop, 1);
        deliver_one(&peer.hop, 1);
        end();
        expect(peer.connections == 2);
        peer_end(&peer);
        SSL_CTX_free(secured.tls);
}

/* It is our own that we have no memory for a handshake: nothing goes in plain text for that, then or later. */
static void test_no_plain_text_for_want_of_memory(void)
{
        struct hop_settings secured = with_tls(HOP_STARTTLS_MAY);
        struct peer peer;

        budget_octets = TLS_HANDSHAKE_SIZE;
        begin(&secured);
        budget_octets = (uint64_t)64 << 20;
        peer_begin(&peer, HOP_LMTP, SECURES "E:\n" SECURED TAKES "C: QUIT\n");
        fail_one(&peer.hop, FATE_BROKEN, 0);
        budget_set(&budget, budget_octets, 90);
        deliver_one(&peer.hop, 1);
        end();
        peer_end(&peer);
        SSL_CTX_free(secured.tls);
}

int main(void)
{
        set_up();
        test_delivered_on_one_connection();
        test_refused_at_rcpt();
        test_mixed_answers_to_the_dot();
        test_dead_ones_are_passed_over();
        test_what_was_idle_is_closed();
        test_closed_in_the_middle();
        test_garbage_and_refusals_to_serve();
        test_hung_one_beside_another();
        test_aborts();
        test_long_text_to_a_slow_reader();
        test_many_wait_for_few_connections();
        test_long_text_by_tls();
        test_handshakes_that_fail();
        test_plain_text_behind_a_failed_handshake();
        test_no_plain_text_for_want_of_memory();
        expect(log_writer_stop(&log_writer));
        log_writer_end(&log_writer);
        content_pool_end(&pool);
        waker_close(&waker);
        free(reports);
        return 0;
}
