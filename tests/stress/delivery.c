/* A delivery thread and the Maildirs it writes: content to the octet, links, hostile names, long messages in
 * pieces, failures of every step with nothing half-delivered, and several workers at once. Works below a
 * fresh directory in TMPDIR or /tmp. */
#include "workers/delivery.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORKERS    3
#define SPOOLS_MAX 2
#define MESSAGES   150 /* of each worker, in the last test */

/* ---- set-up ------------------------------------------------------------------------------------------ */

static char base[200];
static struct log_writer log_writer;
static struct delivery delivery;
static struct waker wakers[WORKERS];
static struct channel *reports[WORKERS];
static struct content_pool pools[WORKERS];
static char template[300];
static struct domain isp = {.name = {"isp.example", 11}, .deliver = {DELIVER_MAILDIR, template}};
static struct domain nowhere = {.name = {"nowhere.example", 15}, .deliver = {DELIVER_DISCARD, NULL}};

static const char *in_base(const char *path)
{
        static _Thread_local char whole[PATH_MAX];
        snprintf(whole, sizeof whole, "%s/%s", base, path);
        return whole;
}

static void make_file(const char *path)
{
        close(open(in_base(path), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

/* Root may write everywhere; the failures below need somebody else. */
static void become_somebody(void)
{
        if (geteuid() != 0)
                return;
        expect(chown(base, 65534, 65534) == 0);
        expect(setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
        prctl(PR_SET_DUMPABLE, 1); /* the leak check attaches to the process */
}

static void set_up(void)
{
        const char *tmp = getenv("TMPDIR");

        snprintf(base, sizeof base, "%s/gatepost-delivery-XXXXXX", tmp != NULL ? tmp : "/tmp");
        expect(mkdtemp(base) != NULL);
        become_somebody();
        signal(SIGXFSZ, SIG_IGN);
        snprintf(template, sizeof template, "%s/mail/%%d/%%u", base);
        int log_fd = open(in_base("log"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        expect(log_fd >= 0 && log_writer_init(&log_writer, log_fd, 0) && log_writer_start(&log_writer));
        expect(delivery_init(&delivery, 7, WORKERS, SPOOLS_MAX, 4, &log_writer));
        for (int i = 0; i < WORKERS; i++) {
                expect(waker_open(&wakers[i]));
                reports[i] = channels_create(1, &wakers[i]);
                delivery.reports[i] = reports[i];
                content_pool_init(&pools[i], 10);
        }
        expect(delivery_start(&delivery));
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
        (void)status, (void)kind, (void)place;
        return remove(path);
}

static void tear_down(void)
{
        delivery_stop(&delivery);
        expect(log_writer_stop(&log_writer));
        for (int i = 0; i < WORKERS; i++) {
                waker_close(&wakers[i]);
                free(reports[i]);
                content_pool_end(&pools[i]);
        }
        delivery_end(&delivery);
        log_writer_end(&log_writer);
        expect(nftw(base, remove_one, 10, FTW_DEPTH | FTW_PHYS) == 0);
}

/* ---- one message ------------------------------------------------------------------------------------- */

static struct delivery_job *wait_for_report(int worker)
{
        struct parcel *parcel;

        while ((parcel = channel_receive(reports[worker])) == NULL) {
                waker_prepare(&wakers[worker]);
                if (channel_is_empty(reports[worker]))
                        waker_sleep(&wakers[worker]);
                else
                        waker_stay_awake(&wakers[worker]);
        }
        return (struct delivery_job *)parcel;
}

static void send_job(int worker, enum delivery_kind kind, const struct message *message, struct spool *spool,
                     const char *text)
{
        struct delivery_job *sent = malloc(sizeof *sent);

        expect(sent != NULL);
        *sent = (struct delivery_job){.kind = kind, .message = message, .spool = spool};
        expect(content_append(&sent->content, &pools[worker], span_from(text)));
        channel_send(&delivery.jobs[worker], &sent->parcel);
        channel_flush(&delivery.jobs[worker]);
}

static enum store_outcome finish_job(int worker)
{
        struct delivery_job *job = wait_for_report(worker);
        enum store_outcome outcome = job->outcome;

        content_release(&job->content, &pools[worker]);
        free(job);
        return outcome;
}

static struct message make_message(struct recipient *recipients, size_t count, enum newline_form newline)
{
        for (size_t i = 0; i + 1 < count; i++)
                recipients[i].next = &recipients[i + 1];
        return (struct message){.id = "TEST",
                                .sender = SPAN("me@example.com"),
                                .recipients = recipients,
                                .recipient_count = count,
                                .newline = newline};
}

static enum store_outcome store(const struct message *message, const char *text)
{
        send_job(0, DELIVERY_STORE, message, NULL, text);
        return finish_job(0);
}

static struct recipient to(const char *local_part, const struct domain *domain)
{
        return (struct recipient){.mailbox = span_from(local_part), .domain = domain};
}

/* ---- what is on the disk ----------------------------------------------------------------------------- */

/* Files in a folder below the base; the path of one of them in ret_path. */
static size_t count_files(const char *folder, char ret_path[PATH_MAX])
{
        size_t count = 0;
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s", in_base(folder));
        DIR *directory = opendir(path);

        for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;)
                if (entry->d_name[0] != '.') {
                        count++;
                        if (ret_path != NULL)
                                snprintf(ret_path, PATH_MAX, "%.3000s/%s", path, entry->d_name);
                }
        if (directory != NULL)
                closedir(directory);
        return count;
}

static void expect_file(const char *folder, const char *text, unsigned links)
{
        char path[PATH_MAX];
        static char octets[2000000];
        struct stat status;

        expect(count_files(folder, path) == 1);
        expect(stat(path, &status) == 0 && status.st_nlink == links && (status.st_mode & 0777) == 0600);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t length = read(fd, octets, sizeof octets);
        close(fd);
        expect(length == (ssize_t)strlen(text) && memcmp(octets, text, strlen(text)) == 0);
}

static void expect_empty(const char *mailbox)
{
        char folder[300];
        snprintf(folder, sizeof folder, "%s/tmp", mailbox);
        expect(count_files(folder, NULL) == 0);
        snprintf(folder, sizeof folder, "%s/new", mailbox);
        expect(count_files(folder, NULL) == 0);
}

/* ---- tests ------------------------------------------------------------------------------------------- */

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

static void *store_many(void *argument)
{
        static const char *const names[] = {"many0", "many1", "many2", "many3"};
        int worker = (int)(intptr_t)argument;
        struct recipient recipients[MESSAGES];
        struct message messages[MESSAGES];

        for (int i = 0; i < MESSAGES; i++) {
                recipients[i] = to(names[i % 4], &isp);
                messages[i] = make_message(&recipients[i], 1, NEWLINE_CRLF);
                send_job(worker, DELIVERY_STORE, &messages[i], NULL, "text\r\n");
                if (i % 10 == 9)
                        for (int j = 0; j < 10; j++)
                                expect(finish_job(worker) == STORE_DONE);
        }
        return NULL;
}

static void test_many(void)
{
        pthread_t threads[WORKERS];

        for (intptr_t i = 0; i < WORKERS; i++)
                expect(pthread_create(&threads[i], NULL, store_many, (void *)i) == 0);
        for (int i = 0; i < WORKERS; i++)
                pthread_join(threads[i], NULL);
        expect(count_files("mail/isp.example/many0/new", NULL) +
                   count_files("mail/isp.example/many1/new", NULL) +
                   count_files("mail/isp.example/many2/new", NULL) +
                   count_files("mail/isp.example/many3/new", NULL) ==
               WORKERS * MESSAGES);
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
        test_many();
        tear_down();
        return 0;
}
