/* The pool of connections to a daemon: order, bounds, deadlines, and what a connection that ends costs. */
#include "workers/inbound/recipient/pool.h"

#include "workers/local/socket.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct asker {
        struct lookup lookup;
        unsigned answers;
        enum fact fact;
        bool could_destroy; /* from within the answer */
        char text[64];
};

static struct streams *streams;
static struct budget budget;
static struct account account;
static struct pool *pool;
static struct pool_terms terms;
static _Atomic uint64_t connections;
static uint64_t now_ms;
static int epoll_fd, listener;
static char path[64];

static void listen_again(void)
{
        struct local_file file;
        const char *fault;

        listener = local_socket_open(path, 0600, 16, 0, &file, &fault);
        cr_assert_geq(listener, 0, "%s", fault);
}

static void begin(void)
{
        now_ms = 1000;
        connections = 0;
        epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        budget_set(&budget, 64 << 20, 80);
        account = (struct account){.budget = &budget};
        streams = streams_create(epoll_fd, &account, now_ms);
        snprintf(path, sizeof path, "/tmp/test_pool.%d", (int)getpid());
        listen_again();
        pool = pool_create(streams, &(struct daemon_address){.path = path});
        cr_assert_not_null(pool);
        terms = (struct pool_terms){1000, 2, 3, &connections};
}

static void end(void)
{
        pool_destroy(pool);
        streams_destroy(streams);
        close(listener);
        close(epoll_fd);
        unlink(path);
}

TestSuite(pool, .init = begin, .fini = end);

static void answered(struct lookup *lookup, enum fact fact, struct span text)
{
        struct asker *asker = (struct asker *)lookup;

        asker->answers++;
        asker->fact = fact;
        asker->could_destroy = pool_is_empty(pool);
        span_copy_cut(text, asker->text, sizeof asker->text);
}

static const char *ask(struct asker *asker, const char *key)
{
        *asker = (struct asker){
            .lookup = {
                .map = SPAN("m"), .key = span_from(key), .due_ms = now_ms + 5000, .answered = answered}};
        return pool_ask(pool, &terms, &asker->lookup);
}

static void turn(uint64_t later_ms)
{
        struct epoll_event events[8];
        int count = epoll_wait(epoll_fd, events, 8, streams->open_count > 0 ? 20 : 0);

        now_ms += later_ms;
        streams_turn(streams, now_ms);
        for (int i = 0; i < count; i++)
                streams_event(events[i].data.u64, events[i].events);
        streams_expire(streams);
}

/* The other side of the next connection. */
static int take(void)
{
        struct pollfd wait = {.fd = listener, .events = POLLIN};

        cr_assert_eq(poll(&wait, 1, 5000), 1);
        int fd = accept(listener, NULL, NULL);
        cr_assert_geq(fd, 0);
        turn(0);
        return fd;
}

static void hear(int fd, const char *question)
{
        char octets[256];
        ssize_t length = recv(fd, octets, sizeof octets, MSG_DONTWAIT);

        cr_assert_eq(length, (ssize_t)strlen(question), "%zd octets, not %s", length, question);
        cr_assert_eq(memcmp(octets, question, (size_t)length), 0, "%.*s", (int)length, octets);
}

static void say(int fd, const char *answer)
{
        cr_assert_eq(write(fd, answer, strlen(answer)), (ssize_t)strlen(answer));
        turn(0);
}

Test(pool, a_connection_is_kept_and_questions_wait_in_their_order)
{
        struct asker first, second, third;

        terms.links_max = 1;
        cr_assert_null(ask(&first, "a"));
        int fd = take();
        cr_assert_null(ask(&second, "b"));
        cr_assert_null(ask(&third, "c"));
        hear(fd, "3:m a,");
        say(fd, "4:OK x,");
        cr_expect_eq(first.fact, FACT_FOUND);
        cr_expect_str_eq(first.text, "x");
        hear(fd, "3:m b,");
        say(fd, "9:NOTFOUND ,");
        cr_expect_eq(second.fact, FACT_ABSENT);
        hear(fd, "3:m c,");
        say(fd, "7:PERM no,");
        cr_expect_eq(third.fact, FACT_FAILED);
        cr_expect_str_eq(third.text, "PERM no");
        cr_expect_eq(first.answers + second.answers + third.answers, 3);
        cr_expect_eq(connections, 1);
        turn(61000);
        cr_expect(pool_is_empty(pool), "one that nobody needs is closed");
        close(fd);
}

Test(pool, more_than_its_bound_are_refused_at_once)
{
        struct asker askers[4];

        for (int i = 0; i < 3; i++)
                cr_assert_null(ask(&askers[i], "a"));
        cr_expect_str_eq(ask(&askers[3], "a"), "too many questions wait for it");
        cr_expect_eq(connections, 2);
        turn(6000);
        for (int i = 0; i < 3; i++)
                cr_expect(askers[i].answers == 1 && askers[i].fact == FACT_FAILED, "%d", i);
}

Test(pool, one_that_was_closed_while_it_was_kept_costs_another_try_and_no_more)
{
        struct asker asker;

        cr_assert_null(ask(&asker, "a"));
        int fd = take();
        say(fd, "3:OK ,");
        cr_assert_null(ask(&asker, "b"));
        hear(fd, "3:m a,3:m b,");
        close(fd);
        turn(0);
        cr_expect_eq(asker.answers, 0);
        fd = take();
        hear(fd, "3:m b,");
        close(fd);
        turn(0);
        cr_expect_eq(asker.answers, 1);
        cr_expect_eq(asker.fact, FACT_FAILED);
        cr_expect_str_eq(asker.text, "it has closed the connection");
        cr_expect(!asker.could_destroy, "a pool that is still at work");
        cr_expect(pool_is_empty(pool));
        cr_expect_eq(connections, 2);
}

Test(pool, a_dead_daemon_is_tried_seldom_and_by_one_connection)
{
        struct asker asker;

        unlink(path);
        for (int i = 0; i < 1000; i++) {
                cr_assert_str_eq(ask(&asker, "a"), "it takes no connection");
                turn(10);
        }
        cr_expect_leq(connections, 8, "in ten seconds: %d", (int)connections);
        close(listener);
        listen_again();
        turn(5000);
        struct asker others[3];
        uint64_t before = connections;
        for (int i = 0; i < 3; i++)
                cr_assert_null(ask(&others[i], "b"));
        cr_expect_eq(connections, before + 1, "one has to prove itself");
        int fd = take();
        say(fd, "3:OK ,");
        cr_expect_eq(others[0].fact, FACT_FOUND);
        cr_expect_eq(connections, before + 2, "then there may be more");
        close(fd);
}

Test(pool, a_question_that_ends_connections_costs_no_other_its_answer)
{
        struct asker asker, others[2];

        for (int i = 0; i < 5; i++) {
                uint64_t before = connections;
                cr_assert_null(ask(&asker, "a"));
                int fd = take();
                close(fd);
                turn(0);
                cr_expect(asker.answers == 1 && asker.fact == FACT_FAILED);
                for (int k = 0; k < 2; k++)
                        cr_assert_null(ask(&others[k], "b"));
                cr_expect_eq(connections, before + 2, "more than one before any has proven itself");
                fd = take();
                say(fd, "3:OK ,");
                cr_expect_eq(others[0].fact, FACT_FOUND);
                hear(fd, "3:m b,3:m b,");
                say(fd, "3:OK ,");
                cr_expect_eq(others[1].fact, FACT_FOUND);
                turn(61000);
                cr_assert(pool_is_empty(pool));
                close(fd);
        }
}

Test(pool, deadlines_hold_for_those_who_wait_and_those_who_are_asked)
{
        struct asker asked, waiting;

        terms.links_max = 1;
        cr_assert_null(ask(&asked, "a"));
        int fd = take();
        turn(1000);
        cr_assert_null(ask(&waiting, "b"));
        turn(3900);
        cr_expect_eq(asked.answers, 0);
        turn(200);
        cr_expect_eq(asked.answers, 1);
        cr_expect_str_eq(asked.text, "no answer in time");
        cr_expect_eq(waiting.answers, 1, "the connection never answered: nobody waits for another");
        close(fd);
}

Test(pool, what_comes_unasked_is_not_believed)
{
        struct asker asker;

        cr_assert_null(ask(&asker, "a"));
        int fd = take();
        say(fd, "9:NOTFOUND ,3:OK ,");
        cr_expect_eq(asker.fact, FACT_FAILED);
        cr_expect_str_eq(asker.text, "it speaks unasked");
        cr_expect(pool_is_empty(pool));
        close(fd);
}

static struct asker inner;

static void ask_again(struct lookup *lookup, enum fact fact, struct span text)
{
        answered(lookup, fact, text);
        cr_assert_null(ask(&inner, "z"));
}

Test(pool, an_answer_may_bring_the_next_question)
{
        struct asker asker;

        cr_assert_null(ask(&asker, "a"));
        asker.lookup.answered = ask_again;
        int fd = take();
        say(fd, "3:OK ,");
        hear(fd, "3:m a,3:m z,");
        say(fd, "3:OK ,");
        cr_expect_eq(inner.fact, FACT_FOUND);
        cr_assert_null(ask(&asker, "a"));
        asker.lookup.answered = ask_again;
        close(fd);
        unlink(path);
        turn(0);
        turn(0);
        cr_expect_eq(asker.answers, 1);
        cr_expect_eq(asker.fact, FACT_FAILED);
}
