/* stress-journal-crash [KILLS]: a journal is killed at random moments while messages go in and out. Each message
 * that was acknowledged must come out as it was sent; twice only where a kill came between. The program starts
 * itself for each life of the journal, which tells by a pipe what it does: 'A' acknowledged, 'D' handed to the
 * next hop, with the number. */
#include "tests/stress/journal/fixture.h"

#include <signal.h>
#include <sys/wait.h>

#define NUMBERS_MAX 4000000
#define OPEN_MAX    32  /* messages that wait for their report */
#define WAITING_MAX 500 /* for the next hop: the journal is not to be full */

struct event {
        char what;
        uint32_t number;
};

static struct run run;

static uint64_t mixed(uint64_t number)
{
        number = (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
        number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        return number ^ number >> 31;
}

/* ---- one life ------------------------------------------------------------------------------------------ */

/* The text tells its number, and has some length up to 40 000 that it tells as well. */
static struct span text_of(uint32_t number, char octets[static 40100])
{
        size_t length = (size_t)(mixed(number) % (mixed(number + 7) % 8 == 0 ? 40000 : 4000));
        int head = sprintf(octets, "Subject: %u\r\n\r\n", number);

        for (size_t i = 0; i < length; i++)
                octets[(size_t)head + i] = (char)(' ' + (number * 31 + i * 7) % 90);
        return span_of(octets, (size_t)head + length);
}

static void tell(char what, uint32_t number)
{
        struct event event = {what, number};
        expect(write(STDOUT_FILENO, &event, sizeof event) == (ssize_t)sizeof event);
}

/* Every third one is put off at first. */
static void hop(void)
{
        static char octets[40100];
        struct journal_delivery *delivery;

        while ((delivery = (struct journal_delivery *)channel_receive(run.hop)) != NULL) {
                char id[16];
                span_copy_cut(delivery->message.id, id, sizeof id);
                uint32_t number = (uint32_t)strtoul(id, NULL, 10);
                expect(content_equals(&delivery->content, text_of(number, octets)));
                expect(delivery->message.recipient_count == 2);
                if (number % 3 == 0 && delivery->states[0] == RECIPIENT_WAITS) {
                        delivery->states[0] = RECIPIENT_DONE;
                } else {
                        tell('D', number);
                        delivery->states[0] = delivery->states[1] = RECIPIENT_DONE;
                }
                run_return(&run, delivery, JOURNAL_TRIED);
        }
}

static uint32_t reports(uint32_t in_flight)
{
        while (!channel_is_empty(run.reports[0])) {
                struct sent *sent = (struct sent *)run_wait(&run, run.reports[0]);
                if (sent->job.delivery.outcome == STORE_DONE)
                        tell('A', (uint32_t)strtoul(sent->message.id, NULL, 10));
                content_release(&sent->job.delivery.content, &pool);
                free(sent);
                in_flight--;
        }
        return in_flight;
}

/* With `first` 0 nothing is sent: it ends when all has come out. */
static void live(uint32_t first)
{
        static char octets[40100];
        uint32_t number = first, in_flight = 0;

        journal_size = UINT64_C(5) * SEGMENT;
        run_start(&run);
        while (first != 0 || run.journal.counts.waiting > 0 || !atomic_load(&run.journal.is_open)) {
                char id[16];
                bool has_room = first != 0 && run.journal.counts.waiting < WAITING_MAX;
                for (; has_room && in_flight < OPEN_MAX; number++, in_flight++) {
                        snprintf(id, sizeof id, "%u", number);
                        send_job(&run, DELIVERY_STORE, id, NULL, text_of(number, octets));
                }
                waker_prepare(&run.waker);
                if (channel_is_empty(run.hop) && channel_is_empty(run.reports[0]))
                        waker_nap(&run.waker, 10);
                else
                        waker_stay_awake(&run.waker);
                in_flight = reports(in_flight);
                hop();
        }
        run_stop(&run);
}

/* ---- all lives ----------------------------------------------------------------------------------------- */

static bool acknowledged[NUMBERS_MAX];
static uint8_t delivered[NUMBERS_MAX];

/* Reads what the life tells until it has ended; kills it after so long, unless that is 0. Returns the highest
 * number. */
static uint32_t watch(const char *program, uint32_t first, useconds_t kill_after_us)
{
        char number[16], folder[220];
        int pipes[2], status;
        struct event event;
        uint32_t highest = first;

        snprintf(number, sizeof number, "%u", first);
        snprintf(folder, sizeof folder, "%s", base);
        expect(pipe2(pipes, O_CLOEXEC) == 0);
        pid_t pid = fork();
        if (pid == 0) {
                dup2(pipes[1], STDOUT_FILENO);
                execl(program, program, "life", folder, number, (char *)NULL);
                _exit(127);
        }
        close(pipes[1]);
        for (bool has_begun = false; read(pipes[0], &event, sizeof event) == (ssize_t)sizeof event;) {
                /* From its first word on it has so long; what it has told until then is read behind its end. */
                if (!has_begun && kill_after_us > 0) {
                        usleep(kill_after_us);
                        kill(pid, SIGKILL);
                }
                has_begun = true;
                expect(event.number < NUMBERS_MAX);
                acknowledged[event.number] |= event.what == 'A';
                delivered[event.number] += event.what == 'D';
                highest = event.number > highest ? event.number : highest;
        }
        close(pipes[0]);
        expect(waitpid(pid, &status, 0) == pid);
        expect(kill_after_us > 0 ? WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL
                                 : WIFEXITED(status) && WEXITSTATUS(status) == 0);
        return highest;
}

static void check(uint32_t highest, int kills)
{
        uint32_t lost = 0, twice = 0, count = 0, unasked = 0;

        for (uint32_t i = 0; i <= highest; i++) {
                count += acknowledged[i];
                lost += acknowledged[i] && delivered[i] == 0;
                twice += delivered[i] > 1;
                unasked += !acknowledged[i] && delivered[i] > 0;
        }
        printf("%d kills, %u messages acknowledged, %u lost, %u twice, %u delivered whose report was lost\n",
               kills, count, lost, twice, unasked);
        expect(lost == 0 && count > 0);
        /* What was away, or on the way to the disk, when the kill came. */
        expect(twice <= (uint32_t)kills * 64);
}

int main(int argc, char **argv)
{
        content_pool_init(&pool, 1000);
        if (argc == 4 && strcmp(argv[1], "life") == 0) {
                snprintf(base, sizeof base, "%s", argv[2]);
                snprintf(journal_path, sizeof journal_path, "%s/journal", base);
                snprintf(dead_letters, sizeof dead_letters, "%s/dead", base);
                live((uint32_t)strtoul(argv[3], NULL, 10));
                content_pool_end(&pool);
                return 0;
        }
        int kills = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 20;
        uint32_t highest = 0;
        make_base("journal-crash");
        for (int i = 0; i < kills; i++)
                highest = watch("/proc/self/exe", highest + OPEN_MAX + 1,
                                (useconds_t)(1000 + mixed((uint64_t)i + (uint64_t)getpid() * 1000) % 40000));
        watch("/proc/self/exe", 0, 0);
        check(highest, kills);
        remove_base();
        content_pool_end(&pool);
        return 0;
}
