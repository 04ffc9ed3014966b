/* A journal with both its threads: what goes in comes out, whatever the next hop says, over restarts, in a small
 * journal whose segments go round, and when calls fail. */
#include "tests/stress/journal/fixture.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/uio.h>

/* ---- calls that fail ----------------------------------------------------------------------------------- */

static _Atomic int sync_fault, write_fault;

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
ssize_t __real_pwritev64(int fd, const struct iovec *pieces, int count, off_t offset);
ssize_t __wrap_pwritev64(int fd, const struct iovec *pieces, int count, off_t offset);

int __wrap_fdatasync(int fd)
{
        errno = sync_fault;
        return sync_fault != 0 ? -1 : __real_fdatasync(fd);
}

ssize_t __wrap_pwritev64(int fd, const struct iovec *pieces, int count, off_t offset)
{
        errno = write_fault;
        return write_fault != 0 ? -1 : __real_pwritev64(fd, pieces, count, offset);
}

/* ---- tests --------------------------------------------------------------------------------------------- */

static struct run run, other;

static void test_delivered(void)
{
        run_start(&run);
        expect(store(&run, "ONE", SPAN("Subject: one\r\n\r\ntext\r\n")) == STORE_DONE);
        struct journal_delivery *delivery = run_take(&run);
        expect(span_equals(delivery->message.sender, SPAN("me@example.com")));
        expect(span_equals(delivery->message.client, SPAN("192.0.2.1")));
        expect(span_equals(delivery->message.helo, SPAN("client.example")));
        expect(span_equals(delivery->message.destination, SPAN("lmtp:unix:/s")));
        expect(delivery->message.recipient_count == 2);
        expect(content_equals(&delivery->content, SPAN("Subject: one\r\n\r\ntext\r\n")));
        delivery->states[0] = delivery->states[1] = RECIPIENT_DONE;
        run_return(&run, delivery, JOURNAL_TRIED);
        wait_until_settled(&run);
        expect(run.journal.counts.delivered == 2 && run.journal.counts.settled == 1);
        run_stop(&run);
        run_start(&run);
        expect(store(&run, "TWO", SPAN("two")) == STORE_DONE);
        run_settle(&run, "TWO", RECIPIENT_DONE);
        wait_until_settled(&run);
        run_stop(&run);
}

/* Partly done, put off, the next hop away: each comes again, and only who waits still is to be tried. */
static void test_again(void)
{
        run_start(&run);
        expect(store(&run, "AGAIN", SPAN("text")) == STORE_DONE);
        for (int i = 0; i < 3; i++) {
                run_return(&run, run_take(&run), JOURNAL_UNREACHABLE);
                run_settle(&run, "AGAIN", RECIPIENT_WAITS);
        }
        struct journal_delivery *delivery = run_take(&run);
        delivery->states[0] = RECIPIENT_DONE;
        run_return(&run, delivery, JOURNAL_TRIED);
        delivery = run_take(&run);
        expect(delivery->states[0] == RECIPIENT_DONE && delivery->states[1] == RECIPIENT_WAITS);
        run_return(&run, delivery, JOURNAL_UNTRIED);
        run_stop(&run);
        run_start(&run);
        expect(run.journal.counts.waiting <= 1);
        delivery = run_take(&run);
        expect(delivery->states[0] == RECIPIENT_DONE && delivery->states[1] == RECIPIENT_WAITS);
        delivery->states[1] = RECIPIENT_DONE;
        run_return(&run, delivery, JOURNAL_TRIED);
        wait_until_settled(&run);
        run_stop(&run);
}

static void expect_dead_letter(const char *text)
{
        char path[PATH_MAX], octets[2000];

        expect(count_files("dead/new", path) == 1);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t length = read(fd, octets, sizeof octets - 1);
        expect(fd >= 0 && length > 0);
        octets[length] = '\0';
        expect(strstr(octets, text) != NULL && strstr(octets, "Return-Path: <me@example.com>\n") == octets);
        close(fd);
        unlink(path);
}

static void test_dead(void)
{
        run_start(&run);
        expect(store(&run, "DEAD", SPAN("Subject: dead\r\n\r\n")) == STORE_DONE);
        run_settle(&run, "DEAD", RECIPIENT_DEAD);
        wait_until_settled(&run);
        expect(run.journal.counts.dead == 2);
        expect_dead_letter("X-Dead-Letter-For: a@isp.example\nX-Dead-Letter-For: b@isp.example\n"
                           "X-Dead-Letter-Reason: 550 5.1.1 as the test says\n");
        drain_settings.lifetime_ms = 0;
        run_stop(&run);
        run_start(&run);
        expect(store(&run, "OLD", SPAN("Subject: old\r\n\r\n")) == STORE_DONE);
        run_settle(&run, "OLD", RECIPIENT_WAITS);
        wait_until_settled(&run);
        expect_dead_letter("X-Dead-Letter-Reason: 550 5.1.1 as the test says\n");
        /* Nobody can be asked: that is tried, and lasts for a while before it counts. */
        expect(store(&run, "GONE", SPAN("Subject: gone\r\n\r\n")) == STORE_DONE);
        int tries = 0;
        while (atomic_load(&run.journal.counts.waiting) > 0) {
                struct parcel *parcel = channel_receive(run.hop);
                tries += parcel != NULL;
                if (parcel != NULL)
                        run_return(&run, (struct journal_delivery *)parcel, JOURNAL_UNREACHABLE);
                else
                        usleep(1000);
        }
        expect(tries > 0);
        expect_dead_letter("X-Dead-Letter-Reason: it has waited for journal_lifetime\n");
        run_stop(&run);
        drain_settings.lifetime_ms = 3600000;
}

/* A Maildir that takes nothing: the message stays. */
static void test_dead_fails(void)
{
        run_start(&run);
        char moved[PATH_MAX];
        snprintf(moved, sizeof moved, "%s", in_base("dead.away"));
        expect(rename(in_base("dead"), moved) == 0);
        make_file("dead");
        expect(store(&run, "KEPT", SPAN("Subject: kept\r\n\r\n")) == STORE_DONE);
        run_settle(&run, "KEPT", RECIPIENT_DEAD);
        run_settle(&run, "KEPT", RECIPIENT_DONE);
        wait_until_settled(&run);
        expect(run.journal.counts.dead == 0);
        unlink(in_base("dead"));
        run_stop(&run);
}

static char long_text[3000000];

static void test_long(void)
{
        struct message message = {.id = "LONG"};
        struct spool *spool = spool_create(&message, 0, NULL), *aborted = spool_create(&message, 0, NULL);
        size_t at = 0;

        for (size_t i = 0; i < sizeof long_text; i++)
                long_text[i] = (char)('a' + i * 7 % 26 + i / 1000 % 2);
        run_start(&run);
        for (int i = 0; i < 5; i++, at += 300000) {
                send_job(&run, DELIVERY_APPEND, "LONG", spool, span_of(long_text + at, 300000));
                send_job(&run, DELIVERY_APPEND, "GONE", aborted, span_of(long_text, 300000));
        }
        send_job(&run, DELIVERY_ABORT, "GONE", aborted, SPAN(""));
        send_job(&run, DELIVERY_STORE, "LONG", spool, span_of(long_text + at, sizeof long_text - at));
        for (int i = 0; i < 12; i++)
                expect(finish_job(&run) == STORE_DONE);
        free(spool);
        free(aborted);
        struct journal_delivery *delivery = run_take(&run);
        expect(content_equals(&delivery->content, span_of(long_text, sizeof long_text)));
        run_return(&run, delivery, JOURNAL_UNTRIED);
        run_stop(&run);
        run_start(&run);
        delivery = run_take(&run);
        expect(content_equals(&delivery->content, span_of(long_text, sizeof long_text)));
        delivery->states[0] = delivery->states[1] = RECIPIENT_DONE;
        run_return(&run, delivery, JOURNAL_TRIED);
        wait_until_settled(&run);
        run_stop(&run);
}

/* Much mail goes through a small journal while one message does not get away. */
static void test_round(void)
{
        struct journal_delivery *stuck;
        int others = 0;

        run_start(&run);
        expect(store(&run, "STUCK", SPAN("stuck")) == STORE_DONE);
        uint64_t first = run.journal.counts.octets;
        while (run.journal.counts.octets - first < 3 * journal_size) {
                expect(store(&run, "OTHER", span_of(long_text, 500000)) == STORE_DONE);
                for (bool is_other = false; !is_other;) {
                        struct journal_delivery *delivery = run_take(&run);
                        is_other = span_equals(delivery->message.id, SPAN("OTHER"));
                        if (is_other)
                                delivery->states[0] = delivery->states[1] = RECIPIENT_DONE;
                        run_return(&run, delivery, JOURNAL_TRIED);
                }
                others++;
        }
        while (!span_equals((stuck = run_take(&run))->message.id, SPAN("STUCK")))
                run_return(&run, stuck, JOURNAL_UNTRIED);
        expect(content_equals(&stuck->content, SPAN("stuck")) && stuck->message.recipient_count == 2);
        stuck->states[0] = stuck->states[1] = RECIPIENT_DONE;
        run_return(&run, stuck, JOURNAL_TRIED);
        wait_until_settled(&run);
        expect(run.journal.counts.settled == (uint64_t)others + 1);
        run_stop(&run);
}

static void test_full(void)
{
        enum store_outcome outcome;
        int stored = 0;

        run_start(&run);
        while ((outcome = store(&run, "FULL", span_of(long_text, 500000))) == STORE_DONE)
                expect(++stored < 100);
        expect(outcome == STORE_FULL && stored > 20);
        for (int i = 0; i < stored; i++)
                run_settle(&run, "FULL", RECIPIENT_DONE);
        wait_until_settled(&run);
        /* What was full a moment ago is tried again after a second. */
        while ((outcome = store(&run, "ROOM", SPAN("room"))) == STORE_FULL)
                usleep(20000);
        expect(outcome == STORE_DONE);
        run_settle(&run, "ROOM", RECIPIENT_DONE);
        wait_until_settled(&run);
        run_stop(&run);
}

/* Mail for one that is away lies between mail for another one: outcomes find room all the same, over restarts, too. */
static void test_one_away(void)
{
        static const struct span away = {"lmtp:unix:/away", 15};
        struct span there = origin.destination;
        enum store_outcome outcome;
        int stored = 0, left = 0;

        run_start(&run);
        do {
                origin.destination = stored % 3 == 0 ? away : there;
                outcome = store(&run, "MIXED", span_of(long_text, 20000));
                expect(++stored < 10000);
        } while (outcome == STORE_DONE);
        origin.destination = there;
        left = (stored - 1) - (stored + 1) / 3;
        expect(outcome == STORE_FULL && left > 200);
        while (left > 0) {
                struct journal_delivery *delivery = run_take(&run);
                bool is_away = span_equals(delivery->message.destination, away);
                memset(delivery->states, is_away ? RECIPIENT_WAITS : RECIPIENT_DONE,
                       delivery->message.recipient_count);
                left -= !is_away;
                run_return(&run, delivery, is_away ? JOURNAL_UNREACHABLE : JOURNAL_TRIED);
                if (left % 50 == 7 && !is_away) {
                        run_stop(&run);
                        run_start(&run);
                }
                /* More comes when there is room. */
                left += !is_away && stored++ < 2000 &&
                        store(&run, "MORE", span_of(long_text, 20000)) == STORE_DONE;
        }
        while (run.journal.counts.waiting > 0) {
                struct journal_delivery *delivery = (struct journal_delivery *)channel_receive(run.hop);
                if (delivery != NULL) {
                        memset(delivery->states, RECIPIENT_DONE, delivery->message.recipient_count);
                        run_return(&run, delivery, JOURNAL_TRIED);
                }
                usleep(100);
        }
        run_stop(&run);
}

/* Those of the batch that failed are nowhere, not after a restart either, and the next ones go into another
 * segment. */
static void test_faults(void)
{
        static const struct {
                _Atomic int *fault;
                int error;
                enum store_outcome outcome;
        } cases[] = {{&sync_fault, EIO, STORE_FAILED}, {&write_fault, ENOSPC, STORE_FULL}};

        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                enum store_outcome outcome;
                run_start(&run);
                expect(store(&run, "BEFORE", SPAN("before")) == STORE_DONE);
                run_return(&run, run_take(&run), JOURNAL_UNTRIED);
                *cases[i].fault = cases[i].error;
                expect(store(&run, "FAILED", SPAN("failed")) == cases[i].outcome);
                *cases[i].fault = 0;
                while ((outcome = store(&run, "AFTER", SPAN("after"))) != STORE_DONE) {
                        expect(outcome == cases[i].outcome);
                        usleep(20000);
                }
                expect(run.journal.counts.failures == 1);
                run_stop(&run);
                run_start(&run);
                run_settle(&run, "BEFORE", RECIPIENT_DONE);
                run_settle(&run, "AFTER", RECIPIENT_DONE);
                wait_until_settled(&run);
                expect(run.journal.counts.damaged + run.journal.counts.torn == 0);
                run_stop(&run);
        }
}

/* A file system with room for two segments of six: 452 is the answer, what was taken comes out, and then there is room
 * again. Only root may make one, in a name space of this process. */
static void test_disk_full(void)
{
        char path[300];
        enum store_outcome outcome;
        int stored = 0;

        snprintf(path, sizeof path, "%s/small", base);
        if (mkdir(path, 0700) != 0 || unshare(CLONE_NEWNS) != 0 ||
            mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
            mount("tmpfs", path, "tmpfs", 0, "size=10m") != 0) {
                printf("skipped: no file system of our own: %s\n", strerror(errno));
                return;
        }
        snprintf(journal_path, sizeof journal_path, "%s/small/journal", base);
        run_start(&run);
        while ((outcome = store(&run, "FULL", span_of(long_text, 500000))) == STORE_DONE)
                expect(++stored < 100);
        expect(outcome == STORE_FULL && stored >= 8 && stored < 20);
        for (int i = 0; i < stored; i++)
                run_settle(&run, "FULL", RECIPIENT_DONE);
        wait_until_settled(&run);
        while ((outcome = store(&run, "ROOM", span_of(long_text, 500000))) == STORE_FULL)
                usleep(20000);
        expect(outcome == STORE_DONE);
        run_settle(&run, "ROOM", RECIPIENT_DONE);
        wait_until_settled(&run);
        run_stop(&run);
        expect(umount(path) == 0);
}

/* The next process waits for the journal, and so does what it has taken meanwhile. */
static void test_upgrade(void)
{
        run_start(&run);
        expect(store(&run, "OLD", SPAN("of the old one")) == STORE_DONE);
        run_start(&other);
        send_job(&other, DELIVERY_STORE, "NEW", NULL, SPAN("of the new one"));
        usleep(300000);
        expect(channel_is_empty(other.reports[0]));
        expect(store(&run, "OLD", SPAN("of the old one, too")) == STORE_DONE);
        run_stop(&run);
        expect(finish_job(&other) == STORE_DONE);
        run_settle(&other, "OLD", RECIPIENT_DONE);
        run_settle(&other, "OLD", RECIPIENT_DONE);
        run_settle(&other, "NEW", RECIPIENT_DONE);
        wait_until_settled(&other);
        run_stop(&other);
}

int main(void)
{
        make_base("journal");
        snprintf(journal_path, sizeof journal_path, "%s/journal", base);
        snprintf(dead_letters, sizeof dead_letters, "%s/dead", base);
        content_pool_init(&pool, 1000);
        test_delivered();
        test_again();
        test_dead();
        test_dead_fails();
        test_long();
        test_round();
        test_full();
        test_one_away();
        test_faults();
        test_upgrade();
        test_disk_full();
        content_pool_end(&pool);
        remove_base();
        return 0;
}
