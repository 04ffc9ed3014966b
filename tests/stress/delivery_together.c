/* A delivery thread with many messages at a time: they share syncs, and a failure of one is its own; several
 * workers at once. */
#include "tests/stress/delivery_fixture.h"

#define TOGETHER 32
#define MESSAGES 150 /* of each worker */

/* So many at a time that they share their syncs. One has no Maildir to go to, the others must not suffer. */
static void test_together(void)
{
        static const char *const names[] = {"shared0", "shared1", "blocked", "shared3"};
        struct recipient recipients[TOGETHER][2];
        struct message messages[TOGETHER];

        make_file("mail/isp.example/blocked");
        /* Before the first is sent: a thread that is awake takes it at once. */
        size_t second = count_files("mail/isp.example/second/new", NULL);
        for (int i = 0; i < TOGETHER; i++) {
                struct delivery_job *job = malloc(sizeof *job);
                recipients[i][0] = to(names[i % 4], &isp);
                recipients[i][1] = to("second", &isp);
                messages[i] = make_message(recipients[i], 2, NEWLINE_CRLF);
                expect(job != NULL);
                *job = (struct delivery_job){.kind = DELIVERY_STORE, .message = &messages[i]};
                expect(content_append(&job->content, &pools[0], SPAN("text\r\n")));
                channel_send(&delivery.jobs[0], &job->parcel);
        }
        channel_flush(&delivery.jobs[0]);
        for (int i = 0; i < TOGETHER; i++) {
                struct delivery_job *job = wait_for_report(0);
                bool is_blocked = (job->message - messages) % 4 == 2;
                expect(job->outcome == (is_blocked ? STORE_FAILED : STORE_DONE));
                content_release(&job->content, &pools[0]);
                free(job);
        }
        for (int i = 0; i < 4; i++) {
                char folder[300];
                snprintf(folder, sizeof folder, "mail/isp.example/%s/new", names[i]);
                expect(count_files(folder, NULL) == (i == 2 ? 0 : TOGETHER / 4));
        }
        expect(count_files("mail/isp.example/second/new", NULL) == second + TOGETHER / 4 * 3);
        expect(count_files("mail/isp.example/second/tmp", NULL) == 0);
        unlink(in_base("mail/isp.example/blocked"));
}

/* Each file system has its own error; what is forgotten is closed. */
static void test_shared_sync(void)
{
        struct shared_sync shared = {0};
        int fd = open(in_base("synced"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        expect(fd >= 0 && shared_sync_note(&shared, fd) == 0 && shared_sync_note(&shared, fd) == 0);
        expect(shared.count == 1 && shared.systems[0].fd != fd);
        shared_sync_run(&shared);
        expect(shared_sync_is_done(&shared, 0));
        close(shared.systems[0].fd);
        shared_sync_run(&shared);
        expect(!shared_sync_is_done(&shared, 0) && errno == EBADF);
        shared.count = 0;
        expect(shared_sync_note(&shared, -1) == SHARED_SYNC_NONE && shared.count == 0);
        expect(shared_sync_note(&shared, fd) == 0);
        int kept = shared.systems[0].fd;
        shared_sync_end(&shared);
        expect(shared.count == 0 && fcntl(kept, F_GETFD) == -1);
        close(fd);
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
        expect(mkdir(in_base("mail"), 0700) == 0 && mkdir(in_base("mail/isp.example"), 0700) == 0);
        test_together();
        test_shared_sync();
        test_many();
        tear_down();
        return 0;
}
