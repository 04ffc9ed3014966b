/* Streams to daemons: connecting, octets both ways in any pieces, deadlines, and a close at any time. */
#include "workers/inbound/daemon/stream.h"

#include "workers/local/socket.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct peer {
        struct stream stream;
        unsigned told[STREAM_LATE + 1];
        enum stream_event closes_at;
        bool closes;
        size_t wanted; /* octets that are used at a time */
        size_t heard, ended;
};

static struct streams *streams;
static struct budget budget;
static struct account account;
static int epoll_fd, listener;
static char path[64];
static struct daemon_address address;

static void begin(void)
{
        struct local_file file;
        const char *fault;

        epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        budget_set(&budget, 64 << 20, 80);
        account = (struct account){.budget = &budget};
        streams = streams_create(epoll_fd, &account, 1000);
        snprintf(path, sizeof path, "/tmp/test_stream.%d", (int)getpid());
        listener = local_socket_open(path, 0600, 4, 0, &file, &fault);
        cr_assert_geq(listener, 0, "%s", fault);
        address = (struct daemon_address){.path = path};
}

static void end(void)
{
        streams_destroy(streams);
        cr_expect_eq(account.held, 0, "what was kept is given back");
        close(listener);
        close(epoll_fd);
        unlink(path);
}

TestSuite(stream, .init = begin, .fini = end);

static void read_all(struct peer *peer)
{
        struct span input;
        enum stream_received received;

        while ((received = stream_receive(&peer->stream, &input)) == STREAM_OCTETS) {
                size_t used = input.length - input.length % peer->wanted;
                peer->heard += used;
                cr_assert(stream_keep(&peer->stream, span_skip(input, used)));
        }
        peer->ended += received == STREAM_END;
}

static void act(struct stream *stream, enum stream_event event)
{
        struct peer *peer = (struct peer *)stream;

        peer->told[event]++;
        if (event == STREAM_READABLE)
                read_all(peer);
        if (peer->closes && peer->closes_at == event)
                stream_close(stream);
}

static struct peer *peer_new(void)
{
        struct peer *peer = calloc(1, sizeof *peer);

        cr_assert_not_null(peer);
        peer->wanted = 1;
        return peer;
}

static void turn(uint64_t now_ms)
{
        struct epoll_event events[8];
        int count = epoll_wait(epoll_fd, events, 8, 50);

        streams_turn(streams, now_ms);
        for (int i = 0; i < count; i++)
                streams_event(events[i].data.u64, events[i].events);
        streams_expire(streams);
}

static int take_other_side(void)
{
        struct pollfd wait = {.fd = listener, .events = POLLIN};

        cr_assert_eq(poll(&wait, 1, 5000), 1);
        int fd = accept(listener, NULL, NULL);
        cr_assert_geq(fd, 0);
        return fd;
}

Test(stream, octets_go_both_ways)
{
        struct peer *peer = peer_new();
        char octets[16];

        peer->wanted = 4;
        cr_assert(stream_open(&peer->stream, streams, &address, act));
        cr_assert(stream_send(&peer->stream, SPAN("early")), "before it is connected");
        int fd = take_other_side();
        turn(1000);
        cr_expect_eq(peer->told[STREAM_CONNECTED], 1);
        cr_expect_eq(peer->told[STREAM_SENT], 1);
        cr_expect_eq(read(fd, octets, sizeof octets), 5);
        cr_assert_eq(write(fd, "abcdef", 6), 6);
        turn(1000);
        cr_expect_eq(peer->heard, 4);
        cr_expect_eq(peer->stream.unread.length, 2);
        cr_assert_eq(write(fd, "gh", 2), 2);
        turn(1000);
        cr_expect_eq(peer->heard, 8);
        close(fd);
        turn(1000);
        cr_expect_eq(peer->ended, 1);
        stream_close(&peer->stream);
        cr_expect_eq(streams->open_count, 0);
}

Test(stream, what_the_socket_does_not_take_is_kept)
{
        enum { SIZE = 4 << 20 };
        struct peer *peer = peer_new();
        char *octets = calloc(1, SIZE);
        size_t heard = 0;

        cr_assert_not_null(octets);
        cr_assert(stream_open(&peer->stream, streams, &address, act));
        int fd = take_other_side();
        turn(1000);
        cr_assert(stream_send(&peer->stream, span_of(octets, SIZE)));
        cr_expect_gt(stream_unsent(&peer->stream), 0);
        cr_expect_geq(account.held, stream_unsent(&peer->stream));
        while (heard < SIZE) {
                ssize_t got = recv(fd, octets, SIZE, MSG_DONTWAIT);
                heard += got > 0 ? (size_t)got : 0;
                turn(1000);
        }
        cr_expect_eq(peer->told[STREAM_SENT], 1);
        cr_expect_eq(stream_unsent(&peer->stream), 0);
        stream_close(&peer->stream);
        close(fd);
        free(octets);
}

Test(stream, is_told_of_its_deadline)
{
        struct peer *peer = peer_new();

        cr_assert(stream_open(&peer->stream, streams, &address, act));
        stream_set_deadline(&peer->stream, 3000);
        turn(2000);
        cr_expect_eq(peer->told[STREAM_LATE], 0);
        cr_expect(streams_wait_ms(streams) >= 0 && streams_wait_ms(streams) <= 1016);
        turn(3016);
        cr_expect_eq(peer->told[STREAM_LATE], 1);
        stream_close(&peer->stream);
        cr_expect_eq(streams_wait_ms(streams), -1);
}

Test(stream, is_lost_where_nobody_listens)
{
        struct daemon_address nowhere = {.endpoint = {address_of_ipv4((const uint8_t[]){127, 0, 0, 1}), 1}};
        struct peer *peer = peer_new();

        if (stream_open(&peer->stream, streams, &nowhere, act)) {
                turn(1000);
                cr_expect_eq(peer->told[STREAM_LOST], 1);
                stream_close(&peer->stream);
        } else {
                free(peer);
        }
        unlink(path);
        peer = peer_new();
        cr_expect_not(stream_open(&peer->stream, streams, &address, act));
        free(peer);
}

Test(stream, waits_where_the_queue_of_its_daemon_is_full)
{
        struct peer *first = peer_new(), *second = peer_new(), *third = peer_new(), *fourth = peer_new();

        cr_assert_eq(listen(listener, 0), 0);
        cr_assert(stream_open(&first->stream, streams, &address, act));
        cr_assert(stream_open(&second->stream, streams, &address, act));
        cr_assert(stream_open(&third->stream, streams, &address, act));
        cr_assert(stream_open(&fourth->stream, streams, &address, act));
        stream_set_deadline(&third->stream, 2000);
        cr_assert(stream_send(&second->stream, SPAN("early")), "before it is connected");
        turn(1000);
        cr_expect_eq(first->told[STREAM_CONNECTED], 1);
        cr_expect_eq(second->told[STREAM_CONNECTED], 0);
        cr_expect(streams_wait_ms(streams) >= 0 && streams_wait_ms(streams) <= 20);
        int fds[] = {take_other_side(), 0};
        turn(1100); /* tries */
        turn(1200); /* hears */
        cr_expect_eq(second->told[STREAM_CONNECTED], 1, "who came first");
        cr_expect_eq(second->told[STREAM_SENT], 1);
        turn(2016);
        cr_expect_eq(third->told[STREAM_LATE], 1);
        stream_close(&third->stream);
        fds[1] = take_other_side();
        close(listener);
        listener = -1;
        turn(2100);
        turn(2200);
        cr_expect_eq(fourth->told[STREAM_LATE], 1, "nobody listens any more");
        stream_close(&first->stream);
        stream_close(&second->stream);
        stream_close(&fourth->stream);
        cr_expect_eq(streams->open_count, 0);
        close(fds[0]);
        close(fds[1]);
}

Test(stream, may_be_closed_at_any_event)
{
        static const enum stream_event events[] = {STREAM_CONNECTED, STREAM_SENT, STREAM_READABLE,
                                                   STREAM_LATE};
        uint64_t now_ms = 1000;

        for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
                struct peer *peer = peer_new();
                peer->closes = true;
                peer->closes_at = events[i];
                cr_assert(stream_open(&peer->stream, streams, &address, act));
                stream_set_deadline(&peer->stream, now_ms);
                cr_assert(stream_send(&peer->stream, SPAN("words")));
                int fd = take_other_side();
                cr_assert_eq(write(fd, "words", 5), 5);
                for (int left = 100; streams->open_count > 0 && left > 0; left--)
                        turn(now_ms += WHEEL_TICK_MS);
                cr_expect_eq(streams->open_count, 0);
                cr_expect_eq(peer->told[events[i]], 1);
                close(fd);
                turn(now_ms);
        }
}
