/* A delivery thread for tests, with Maildirs below a fresh directory in TMPDIR or /tmp. */
#pragma once

#include "tests/stress/folder_fixture.h"

#include "dns/clock.h"
#include "workers/deliver/delivery.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define WORKERS    3
#define SPOOLS_MAX 2

/* ---- set-up -------------------------------------------------------------------------------------------- */

static struct log_writer log_writer;
static struct delivery delivery;
static struct waker wakers[WORKERS];
static struct channel *reports[WORKERS];
static struct content_pool pools[WORKERS];
static char template[300];
static struct domain isp = {.name = {"isp.example", 11}, .deliver = {DELIVER_MAILDIR, template}};

/* Root may write everywhere; the failures below need somebody else. */
static inline void become_somebody(void)
{
        if (geteuid() != 0)
                return;
        expect(chown(base, 65534, 65534) == 0);
        expect(setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
        prctl(PR_SET_DUMPABLE, 1); /* the leak check attaches to the process */
}

static inline void set_up(void)
{
        make_base("delivery");
        become_somebody();
        signal(SIGXFSZ, SIG_IGN);
        snprintf(template, sizeof template, "%s/mail/%%d/%%u", base);
        int log_fd = open(in_base("log"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        expect(log_fd >= 0 && log_writer_init(&log_writer, log_target_of(log_fd), 0) &&
               log_writer_start(&log_writer));
        expect(delivery_init(&delivery, 7, WORKERS, SPOOLS_MAX, 4, &log_writer));
        for (int i = 0; i < WORKERS; i++) {
                expect(waker_open(&wakers[i]));
                reports[i] = channels_create(1, &wakers[i]);
                delivery.reports[i] = reports[i];
                content_pool_init(&pools[i], 10);
        }
        expect(delivery_start(&delivery));
}

static inline void tear_down(void)
{
        delivery_stop(&delivery);
        expect(delivery_join(&delivery, clock_monotonic_ms() + 60000));
        expect(log_writer_stop(&log_writer));
        for (int i = 0; i < WORKERS; i++) {
                waker_close(&wakers[i]);
                free(reports[i]);
                content_pool_end(&pools[i]);
        }
        delivery_end(&delivery);
        log_writer_end(&log_writer);
        remove_base();
}

/* ---- one message --------------------------------------------------------------------------------------- */

static inline struct delivery_job *wait_for_report(int worker)
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

static inline void send_job(int worker, enum delivery_kind kind, const struct message *message,
                            struct spool *spool, const char *text)
{
        struct delivery_job *sent = malloc(sizeof *sent);

        expect(sent != NULL);
        *sent = (struct delivery_job){.kind = kind, .message = message, .spool = spool};
        expect(content_append(&sent->content, &pools[worker], span_from(text)));
        channel_send(&delivery.jobs[worker], &sent->parcel);
        channel_flush(&delivery.jobs[worker]);
}

static inline enum store_outcome finish_job(int worker)
{
        struct delivery_job *job = wait_for_report(worker);
        enum store_outcome outcome = job->outcome;

        content_release(&job->content, &pools[worker]);
        free(job);
        return outcome;
}

static inline struct message make_message(struct recipient *recipients, size_t count,
                                          enum newline_form newline)
{
        for (size_t i = 0; i + 1 < count; i++)
                recipients[i].next = &recipients[i + 1];
        return (struct message){.id = "TEST",
                                .sender = SPAN("me@example.com"),
                                .recipients = recipients,
                                .recipient_count = count,
                                .newline = newline};
}

static inline enum store_outcome store(const struct message *message, const char *text)
{
        send_job(0, DELIVERY_STORE, message, NULL, text);
        return finish_job(0);
}

static inline struct recipient to(const char *local_part, const struct domain *domain)
{
        return (struct recipient){.mailbox = span_from(local_part), .domain = domain};
}

/* ---- what is on the disk ------------------------------------------------------------------------------- */

static inline void expect_file(const char *folder, const char *text, unsigned links)
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

static inline void expect_empty(const char *mailbox)
{
        char folder[300];
        snprintf(folder, sizeof folder, "%s/tmp", mailbox);
        expect(count_files(folder, NULL) == 0);
        snprintf(folder, sizeof folder, "%s/new", mailbox);
        expect(count_files(folder, NULL) == 0);
}
