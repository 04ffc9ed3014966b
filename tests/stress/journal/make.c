/* gatepost-journal-make FOLDER [SECONDS]: fills a journal with five messages, of which the second is delivered and
 * the third is damaged on the disk; then it holds it for so long. It is for tests of the commands, which need a
 * journal. */
#include "tests/stress/journal/fixture.h"

static struct run run;

static void settle_second(void)
{
        for (int i = 0; i < 5; i++) {
                struct journal_delivery *delivery = run_take(&run);
                bool is_second = span_equals(delivery->message.id, SPAN("MAIL2"));
                if (is_second)
                        memset(delivery->states, RECIPIENT_DONE, 2);
                else
                        delivery->states[0] = RECIPIENT_DONE;
                run_return(&run, delivery, JOURNAL_TRIED);
        }
        while (atomic_load(&run.journal.counts.waiting) > 4 || atomic_load(&run.journal.counts.deferred) < 4)
                usleep(1000);
}

/* Behind the head and what is fixed of the body. */
static void damage_third(void)
{
        int fd = open(in_base("00000.segment"), O_RDWR | O_CLOEXEC);
        static char octets[SEGMENT];

        expect(fd >= 0 && read(fd, octets, sizeof octets) == (ssize_t)sizeof octets);
        const char *found = memmem(octets, sizeof octets, "text of MAIL3", 13);
        expect(found != NULL && pwrite(fd, "TEXT", 4, found - octets) == 4);
        close(fd);
}

int main(int argc, char **argv)
{
        expect(argc > 1);
        content_pool_init(&pool, 10);
        snprintf(base, sizeof base, "%s", argv[1]);
        snprintf(journal_path, sizeof journal_path, "%s", argv[1]);
        snprintf(dead_letters, sizeof dead_letters, "%s/dead-letters", argv[1]);
        drain_settings.retry_min_ms = drain_settings.retry_max_ms = 3600000;
        run_start(&run);
        for (int i = 1; i <= 5; i++) {
                char id[16], text[100];
                snprintf(id, sizeof id, "MAIL%d", i);
                snprintf(text, sizeof text, "Subject: %s\r\n\r\ntext of %s\r\n", id, id);
                expect(store(&run, id, span_from(text)) == STORE_DONE);
        }
        settle_second();
        printf("made\n");
        fflush(stdout);
        usleep(argc > 2 ? (useconds_t)strtoul(argv[2], NULL, 10) * 1000000 : 0);
        run_stop(&run);
        damage_third();
        content_pool_end(&pool);
        unlink(in_base("log"));
        return 0;
}
