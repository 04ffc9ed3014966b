/* A delivery thread and the Maildirs it writes: content to the octet, links, hostile names, long messages in
 * pieces, failures of every step with nothing half-delivered. */
#include "tests/stress/delivery_fixture.h"

static struct domain nowhere = {.name = {"nowhere.example", 15}, .deliver = {DELIVER_DISCARD, NULL}};

/* ---- tests --------------------------------------------------------------------------------------------- */

static void test_content(void)
{
        struct recipient crlf = to("crlf", &isp), lf = to("lf", &isp);
        struct message message = make_message(&crlf, 1, NEWLINE_CRLF);

        expect(store(&message, "Subject: x\r\n\r\n.one\r\n\xff\r\n") == STORE_DONE);
        expect_file("mail/isp.example/crlf/new",
                    "Return-Path: <me@example.com>\r\nSubject: x\r\n\r\n.one\r\n\xff\r\n", 1);
        message = make_message(&lf, 1, NEWLINE_LF);
        message.sender = SPAN("");
        expect(store(&message, "Subject: x\r\n\r\n.one\r\n\r\n") == STORE_DONE);
        expect_file("mail/isp.example/lf/new", "Return-Path: <>\nSubject: x\n\n.one\n\n", 1);
}

static void test_recipients(void)
{
        struct recipient recipients[] = {to("a", &isp), to("x", &nowhere), to("b", &isp), to("a", &isp)};
        struct message message = make_message(recipients, 4, NEWLINE_LF);

        expect(store(&message, "\r\n") == STORE_DONE);
        expect_file("mail/isp.example/a/new", "Return-Path: <me@example.com>\n\n", 2);
        expect_file("mail/isp.example/b/new", "Return-Path: <me@example.com>\n\n", 2);
}

static void test_names(void)
{
        static const struct {
                struct span local_part;
                const char *folder;
        } names[] = {
            {{"../../../etc", 12}, "mail/isp.example/%2E.%2F..%2F..%2Fetc/new"},
            {{"", 0}, "mail/isp.example/%/new"},
            {{"..", 2}, "mail/isp.example/%2E./new"},
            {{"a\0b", 3}, "mail/isp.example/a%00b/new"},
            {{"a%d\n\xe9", 5}, "mail/isp.example/a%25d%0A%E9/new"},
            {{"o_k+@=.-9", 9}, "mail/isp.example/o_k+@=.-9/new"},
        };

        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
                struct recipient recipient = {.mailbox = names[i].local_part, .domain = &isp};
                struct message message = make_message(&recipient, 1, NEWLINE_LF);
                expect(store(&message, "\r\n") == STORE_DONE);
                expect_file(names[i].folder, "Return-Path: <me@example.com>\n\n", 1);
        }
}

static void test_long(void)
{
        struct recipient recipients[] = {to("x", &nowhere), to("long", &isp), to("long2", &isp)};
        struct message message = make_message(recipients, 3, NEWLINE_CRLF);
        struct spool *spool = spool_create(&message, 0, NULL);

        send_job(0, DELIVERY_APPEND, NULL, spool, "one\r\n");
        send_job(0, DELIVERY_APPEND, NULL, spool, "two\r\n");
        send_job(0, DELIVERY_STORE, &message, spool, "three\r\n");
        finish_job(0);
        finish_job(0);
        expect(finish_job(0) == STORE_DONE);
        free(spool);
        expect_file("mail/isp.example/long/new", "Return-Path: <me@example.com>\r\none\r\ntwo\r\nthree\r\n",
                    2);
        expect_file("mail/isp.example/long2/new", "Return-Path: <me@example.com>\r\none\r\ntwo\r\nthree\r\n",
                    2);
}

static void test_abort(void)
{
        struct recipient recipient = to("abort", &isp);
        struct message message = make_message(&recipient, 1, NEWLINE_CRLF);
        struct spool *spools[SPOOLS_MAX + 1];

        /* One more than may be open: that one fails, and only that one. */
        for (int i = 0; i <= SPOOLS_MAX; i++) {
                spools[i] = spool_create(&message, 0, NULL);
                send_job(0, DELIVERY_APPEND, NULL, spools[i], "text\r\n");
                finish_job(0);
        }
        expect(count_files("mail/isp.example/abort/tmp", NULL) == SPOOLS_MAX);
        send_job(0, DELIVERY_STORE, &message, spools[SPOOLS_MAX], "");
        expect(finish_job(0) == STORE_FAILED);
        for (int i = 0; i < SPOOLS_MAX; i++) {
                send_job(0, DELIVERY_ABORT, NULL, spools[i], "");
                finish_job(0);
        }
        expect_empty("mail/isp.example/abort");
        for (int i = 0; i <= SPOOLS_MAX; i++)
                free(spools[i]);
        test_long();
}

/* Each step fails at the second mailbox: the first one must not keep anything. */
static void test_failures(void)
{
        struct recipient recipients[] = {to("first", &isp), to("second", &isp)};
        struct message message = make_message(recipients, 2, NEWLINE_CRLF);
        char new_folder[PATH_MAX];

        /* No directory can be made: something is in the way. */
        make_file("mail/isp.example/second");
        expect(store(&message, "\r\n") == STORE_FAILED);
        expect_empty("mail/isp.example/first");
        unlink(in_base("mail/isp.example/second"));

        /* Not ours to write. */
        expect(mkdir(in_base("mail/isp.example/second"), 0500) == 0);
        expect(store(&message, "\r\n") == STORE_FAILED);
        expect_empty("mail/isp.example/first");
        expect(chmod(in_base("mail/isp.example/second"), 0700) == 0);

        /* The move fails. */
        expect(mkdir(in_base("mail/isp.example/second/tmp"), 0700) == 0);
        make_file("mail/isp.example/second/new");
        expect(store(&message, "\r\n") == STORE_FAILED);
        expect_empty("mail/isp.example/first");
        expect_empty("mail/isp.example/second");
        unlink(in_base("mail/isp.example/second/new"));

        /* The directory cannot be synced, because it cannot be opened. */
        snprintf(new_folder, sizeof new_folder, "%s", in_base("mail/isp.example/second/new"));
        expect(mkdir(new_folder, 0300) == 0);
        expect(store(&message, "\r\n") == STORE_FAILED);
        expect(chmod(new_folder, 0700) == 0);
        expect_empty("mail/isp.example/first");
        expect_empty("mail/isp.example/second");
        expect(store(&message, "\r\n") == STORE_DONE);
        expect(count_files("mail/isp.example/second/new", NULL) == 1);
}

static void test_full(void)
{
        struct recipient recipient = to("full", &isp);
        struct message message = make_message(&recipient, 1, NEWLINE_CRLF);
        struct rlimit before, limit;
        static char text[100001];

        memset(text, 'x', sizeof text - 1);
        getrlimit(RLIMIT_FSIZE, &before);
        limit = (struct rlimit){.rlim_cur = 65536, .rlim_max = before.rlim_max};
        expect(setrlimit(RLIMIT_FSIZE, &limit) == 0);
        expect(store(&message, text) == STORE_FULL);
        expect_empty("mail/isp.example/full");
        struct spool *spool = spool_create(&message, 0, NULL);
        send_job(0, DELIVERY_APPEND, NULL, spool, text);
        finish_job(0);
        expect_empty("mail/isp.example/full");
        expect(setrlimit(RLIMIT_FSIZE, &before) == 0);
        send_job(0, DELIVERY_STORE, &message, spool, "");
        expect(finish_job(0) == STORE_FULL);
        free(spool);
        expect_empty("mail/isp.example/full");
        expect(store(&message, "\r\n") == STORE_DONE);
}

int main(void)
{
        set_up();
        test_content();
        test_recipients();
        test_names();
        test_abort();
        test_failures();
        test_full();
        tear_down();
        return 0;
}
