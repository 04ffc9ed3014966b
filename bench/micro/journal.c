/* gatepost-journal-bench [SECONDS [DIRECTORY]]: messages of 4 KiB that a journal makes durable in a second while so
 * many wait, beside the floor: a write and a sync for each message, one after the other, in a file that was written
 * before. CPU is that of the whole process. One line for each; SECONDS, 2, is for each of them. */
#include "core/base/expect.h"
#include "dns/clock.h"
#include "workers/journal/journal.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE_OCTETS 4096
#define FLOOR_MESSAGES 4096 /* of the file, which is written from its beginning again then */
#define WAITING_MAX    500
#define SEGMENT        (UINT64_C(64) << 20)

static char folder[400];
static double seconds = 2, floor_rate, floor_cpu;

static double seconds_of(clockid_t clock)
{
        struct timespec now;
        clock_gettime(clock, &now);
        return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void print_figures(const char *name, double rate, double cpu_us)
{
        printf("%-14s %9.0f messages/s %6.2f times the floor  CPU %6.1f us a message, %5.2f times\n", name,
               rate, rate / floor_rate, cpu_us, cpu_us / floor_cpu);
}

/* ---- floor --------------------------------------------------------------------------------------------- */

static void measure_floor(void)
{
        static char octets[MESSAGE_OCTETS];
        char path[500];
        uint64_t count = 0;

        snprintf(path, sizeof path, "%s/floor", folder);
        int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        expect(fd >= 0);
        for (int i = 0; i < FLOOR_MESSAGES; i++)
                expect(write(fd, octets, sizeof octets) == (ssize_t)sizeof octets);
        expect(fsync(fd) == 0);
        memset(octets, 'x', sizeof octets);
        double begin_s = seconds_of(CLOCK_MONOTONIC), cpu_s = seconds_of(CLOCK_PROCESS_CPUTIME_ID), took_s;
        do {
                off_t at = (off_t)(count++ % FLOOR_MESSAGES * MESSAGE_OCTETS);
                expect(pwrite(fd, octets, sizeof octets, at) == (ssize_t)sizeof octets && fdatasync(fd) == 0);
                took_s = seconds_of(CLOCK_MONOTONIC) - begin_s;
        } while (took_s < seconds);
        close(fd);
        floor_rate = (double)count / took_s;
        floor_cpu = (seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu_s) * 1e6 / (double)count;
        print_figures("floor", floor_rate, floor_cpu);
}

/* ---- journal ------------------------------------------------------------------------------------------- */

static struct log_writer log_writer;
static struct journal journal;
static struct journal_index journal_index;
static struct waker waker;
static struct channel *reports, *news, *done;
static struct content_pool pool;
static const struct journal_origin origin = {
    {"192.0.2.1", 9}, {"client.example", 14}, {"lmtp://[::1]:24", 15}, false};
static struct recipient recipient = {.address = {"alice@isp.example", 17}};
static const struct message message = {
    .id = "1BS0T7G1VBQB", .sender = {"me@example.com", 14}, .recipients = &recipient, .recipient_count = 1};

/* As if all were delivered at once. */
static void read_news(void)
{
        struct journal_news *told;

        while ((told = (struct journal_news *)channel_receive(news)) != NULL) {
                journal.counts.waiting -= told->count;
                atomic_store(&journal.store.first_live, told->horizon);
                free(told);
        }
}

static void start(void)
{
        static char path[500];
        snprintf(path, sizeof path, "%s/journal", folder);
        struct journal_settings settings = {
            .path = path, .size = 4 * SEGMENT, .segment_size = SEGMENT, .messages_max = UINT64_MAX};
        int log_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

        expect(log_writer_init(&log_writer, log_target_of(log_fd), 0) && log_writer_start(&log_writer) &&
               waker_open(&waker));
        reports = channels_create(1, &waker);
        news = channels_create(1, &waker);
        done = channels_create(1, &waker);
        expect(journal_init(&journal, &settings, 1, &log_writer));
        journal_connect(&journal, 0, reports);
        journal_connect_drain(&journal, &journal_index, news, done);
        expect(journal_start(&journal));
}

static void stop(void)
{
        journal_stop(&journal);
        expect(journal_join(&journal, clock_monotonic_ms() + 60000));
        read_news();
        journal_end(&journal);
        expect(log_writer_stop(&log_writer));
        log_writer_end(&log_writer);
        waker_close(&waker);
        free(reports);
        free(news);
        free(done);
}

static void send_one(struct journal_job *job)
{
        job->delivery.sent_ms = clock_monotonic_coarse_ms();
        channel_send(&journal.jobs[0], &job->delivery.parcel);
}

/* Each report is a job that is sent again. Returns how many there were. */
static uint64_t take_reports(void)
{
        struct journal_job *job;
        uint64_t count = 0;

        waker_prepare(&waker);
        if (channel_is_empty(reports) && channel_is_empty(news))
                waker_nap(&waker, 1000);
        else
                waker_stay_awake(&waker);
        read_news();
        while ((job = (struct journal_job *)channel_receive(reports)) != NULL) {
                expect(job->delivery.outcome == STORE_DONE);
                send_one(job);
                count++;
        }
        channel_flush(&journal.jobs[0]);
        return count;
}

/* For so long, with so many that wait; the jobs come back then. */
static void measure(struct journal_job *jobs, uint32_t waiting)
{
        char name[40];
        uint64_t count = 0;

        for (uint32_t i = 0; i < waiting; i++)
                send_one(&jobs[i]);
        channel_flush(&journal.jobs[0]);
        for (int i = 0; i < 3; i++)
                take_reports(); /* segments are made */
        double begin_s = seconds_of(CLOCK_MONOTONIC), cpu_s = seconds_of(CLOCK_PROCESS_CPUTIME_ID), took_s;
        do {
                count += take_reports();
                took_s = seconds_of(CLOCK_MONOTONIC) - begin_s;
        } while (took_s < seconds);
        double cpu_us = (seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu_s) * 1e6 / (double)count;
        for (uint32_t left = waiting; left > 0; channel_flush(&journal.jobs[0]))
                left -= channel_receive(reports) != NULL;
        snprintf(name, sizeof name, "%u waiting", waiting);
        print_figures(name, (double)count / took_s, cpu_us);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
        (void)status, (void)kind, (void)place;
        return remove(path);
}

int main(int argc, char **argv)
{
        static const uint32_t waiting[] = {1, 10, 100, WAITING_MAX};
        static struct journal_job jobs[WAITING_MAX];
        static char text[MESSAGE_OCTETS];

        if (argc > 1)
                seconds = strtod(argv[1], NULL);
        snprintf(folder, sizeof folder, "%s/gatepost-journal-bench-XXXXXX", argc > 2 ? argv[2] : "/var/tmp");
        expect(mkdtemp(folder) != NULL);
        content_pool_init(&pool, WAITING_MAX);
        memset(text, 'x', sizeof text);
        for (int i = 0; i < WAITING_MAX; i++) {
                jobs[i] = (struct journal_job){.delivery = {.kind = DELIVERY_STORE, .message = &message},
                                               .origin = origin};
                expect(content_append(&jobs[i].delivery.content, &pool, span_of(text, sizeof text)));
        }
        start();
        for (size_t i = 0; i < sizeof waiting / sizeof waiting[0]; i++) {
                measure_floor(); /* each time, because a disk that others use changes */
                measure(jobs, waiting[i]);
        }
        stop();
        for (int i = 0; i < WAITING_MAX; i++)
                content_release(&jobs[i].delivery.content, &pool);
        content_pool_end(&pool);
        return nftw(folder, remove_one, 10, FTW_DEPTH | FTW_PHYS);
}
