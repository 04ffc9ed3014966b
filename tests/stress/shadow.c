/* Workers hand over tapes while shadows start, begin anew, are looked at and end, a hundred times: some are judged,
 * none is judged twice, and the memory of all comes back. Nobody answers DNS, so sessions wait for answers all the
 * time. Before that, a way that is full: what has no room is counted, and nobody waits. */
#include "conf/build/load.h"
#include "core/base/expect.h"
#include "dns/pool/settings.h"
#include "folder_fixture.h"
#include "workers/shadow/tell.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define WORKERS 3
#define ROUNDS  100
#define OPEN    40 /* sessions of a worker at a time */

static struct shadow shadow;
static struct log_writer log_writer;
static _Atomic bool is_over;
static _Atomic uint64_t handed;

static void nap_us(long microseconds)
{
        nanosleep(&(struct timespec){.tv_nsec = microseconds * 1000}, NULL);
}

/* ---- a worker ------------------------------------------------------------------------------------------- */

/* The client asks for a list that the tape knows nothing of. */
static void record(struct tape *tape, unsigned number)
{
        char *octets = (char *)(tape + 1);
        int length = snprintf(octets, TAPE_MAX,
                              "1,1,1767225600000,192.0.2.%u,40000,198.51.100.25,25,0 a,220,banner,, "
                              "c,0,HELO%%20x, a,250,helo,, "
                              "c,0,MAIL%%20FROM:<x@a%u.example>, a,250,sender_ok,,1BS0T7G1VBQB "
                              "c,0,RCPT%%20TO:<alice@isp.example>, "
                              "a,250,recipient_ok,,",
                              number % 250 + 1, number % 1000);

        expect(length > 0 && length < TAPE_MAX);
        *tape = (struct tape){0};
        text_over(&tape->text, octets, TAPE_MAX);
        tape->text.length = (size_t)length;
}

static void *serve(void *argument)
{
        struct tape_sink *sink = argument;
        struct tape *open[OPEN] = {NULL};

        for (unsigned round = 0; !atomic_load_explicit(&is_over, memory_order_relaxed); round++) {
                struct tape **slot = &open[round % OPEN];
                if (*slot != NULL) {
                        bool is_of_use = round % 7 != 0;
                        sink->give_back(sink, *slot, is_of_use ? text_span(&(*slot)->text) : SPAN(""));
                        atomic_fetch_add_explicit(&handed, is_of_use, memory_order_relaxed);
                }
                *slot = NULL;
                if (atomic_load_explicit(&sink->share_ppm, memory_order_relaxed) > 0)
                        *slot = sink->lend(sink);
                if (*slot != NULL)
                        record(*slot, round);
                if (round % 16 == 0)
                        nap_us(100);
        }
        for (unsigned i = 0; i < OPEN; i++)
                if (open[i] != NULL)
                        sink->give_back(sink, open[i], text_span(&open[i]->text));
        return NULL;
}

/* ---- the others ------------------------------------------------------------------------------------------ */

static struct shadow_subject *create_subject(void)
{
        struct shadow_subject *subject = shadow_subject_create();
        struct conf_complaints complaints = {0};

        expect(subject != NULL);
        strcpy(subject->path, "/new.conf");
        subject->share_ppm = 1000000;
        subject->snapshot = snapshot_load_text(
            "hostname = \"mx.isp.example\"\n"
            "domain \"isp.example\" { recipients = \"recipients\" deliver = \"discard:\" }\n"
            "dnsbl { threshold = 1 zone \"bl.example\" { answers = {\"127.0.0.2\"} self_test = no } }\n",
            base, &complaints);
        expect(subject->snapshot != NULL &&
               feed_keeper_prepare(&subject->feeds, subject->snapshot, &complaints));
        conf_complaints_end(&complaints);
        return subject;
}

/* As the status page does. */
static void *look_on(void *argument)
{
        static struct shadow_figures figures;

        (void)argument;
        while (!atomic_load_explicit(&is_over, memory_order_relaxed)) {
                if (shadow_look(&shadow, &figures))
                        expect(figures.changed + figures.unknown <= 2 * figures.judged);
                nap_us(300);
        }
        return NULL;
}

static void live(unsigned round)
{
        static char octets[65536];
        static struct shadow_figures figures;
        struct text text;

        expect(shadow_start(&shadow, create_subject()) == NULL && shadow_is_on(&shadow));
        for (unsigned i = 0; i < round % 4; i++) {
                nap_us(2000);
                text_over(&text, octets, sizeof octets);
                expect(shadow_tell(&shadow, round % 2 == 0, &text) && !text.overflowed);
                if (i == 1)
                        shadow_forget(&shadow);
        }
        if (round % 4 == 3) /* something is judged, however slow the machine is */
                for (unsigned i = 0; shadow_look(&shadow, &figures) && figures.judged == 0; i++) {
                        expect(i < 20000);
                        nap_us(1000);
                }
        expect(shadow_stop(&shadow, "a test", UINT64_MAX) && !shadow_is_on(&shadow));
}

/* ---- a way that is full --------------------------------------------------------------------------------- */

static size_t count_idle(const struct shadow_lane *lane)
{
        size_t count = 0;

        for (const struct shadow_parcel *parcel = lane->idle; parcel != NULL; parcel = parcel->next)
                count++;
        return count;
}

static void expect_all_home(const struct shadow_lane *lane)
{
        expect(lane->used > 0);
        expect(count_idle(lane) + shadow_ring_count(&lane->ring) + shadow_ring_count(&lane->back) ==
               lane->used);
}

/* All that there are, and one too many. */
static void lend_all(struct shadow_lane *lane, struct tape *lent[static SHADOW_TAPES_MAX])
{
        uint64_t lost = counter_read(&lane->lost);

        for (unsigned i = 0; i < SHADOW_TAPES_MAX - 1; i++) {
                expect((lent[i] = lane->sink.lend(&lane->sink)) != NULL);
                record(lent[i], i);
        }
        expect(lane->sink.lend(&lane->sink) == NULL && counter_read(&lane->lost) == lost + 1);
}

static void take_all(struct shadow_lane *lane, unsigned count)
{
        struct shadow_parcel *parcel;

        for (unsigned i = 0; i < count; i++) {
                expect((parcel = shadow_lane_take(lane)) != NULL && parcel->text.length > 0);
                shadow_parcel_return(parcel);
        }
        expect(shadow_lane_take(lane) == NULL);
}

static void fill(void)
{
        static struct shadow_lane lane;
        static struct tape *lent[SHADOW_TAPES_MAX];
        static const _Atomic uint64_t epoch;

        shadow_lane_init(&lane, &epoch);
        expect(lane.sink.lend(&lane.sink) == NULL && counter_read(&lane.lost) == 1);
        expect(shadow_lane_open(&lane) && shadow_lane_open(&lane));
        for (unsigned round = 0; round < 3; round++) {
                lend_all(&lane, lent);
                for (unsigned i = 0; i < SHADOW_TAPES_MAX - 1; i++)
                        lane.sink.give_back(&lane.sink, lent[i],
                                            i == round ? SPAN("") : text_span(&lent[i]->text));
                take_all(&lane, SHADOW_TAPES_MAX - 2);
        }
        expect_all_home(&lane);
        shadow_lane_end(&lane);
}

/* ---- all of it ------------------------------------------------------------------------------------------- */

static void begin(struct dns_cache **ret_cache, struct dns_pool **ret_pool)
{
        struct dns_cache_options cache = dns_cache_defaults();
        struct dns_pool_options pool = dns_pool_defaults();
        struct endpoint nowhere = {.port = 1};

        expect(address_parse(SPAN("127.0.0.1"), &nowhere.address));
        pool.cache = *ret_cache = dns_cache_create(&cache);
        pool.upstreams = &nowhere;
        pool.upstream_count = 1;
        pool.clients = 1;
        pool.threads = 1;
        pool.attempt_timeout_ms = 20;
        pool.deadline_ms = 40;
        *ret_pool = dns_pool_create(&pool);
        expect(*ret_cache != NULL && *ret_pool != NULL);
        int log_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
        expect(log_fd >= 0 && log_writer_init(&log_writer, log_target_of(log_fd), 0) &&
               log_writer_start(&log_writer));
        const struct shadow_parts parts = {
            .worker_count = WORKERS, .dns_pool = *ret_pool, .dns_places = 1024, .log = &log_writer};
        expect(shadow_init(&shadow, &parts));
}

static void write_recipients(void)
{
        FILE *file = fopen(in_base("recipients"), "w");

        expect(file != NULL && fputs("alice\n", file) > 0 && fclose(file) == 0);
}

static void run(void)
{
        pthread_t workers[WORKERS], looker;

        for (uint32_t i = 0; i < WORKERS; i++)
                expect(pthread_create(&workers[i], NULL, serve, shadow_sink(&shadow, i)) == 0);
        expect(pthread_create(&looker, NULL, look_on, NULL) == 0);
        for (unsigned round = 0; round < ROUNDS; round++)
                live(round);
        atomic_store(&is_over, true);
        for (uint32_t i = 0; i < WORKERS; i++)
                expect(pthread_join(workers[i], NULL) == 0);
        expect(pthread_join(looker, NULL) == 0);
}

/* Answers to shadows that have ended come still, and then no question is out. */
static void await_late(void)
{
        for (unsigned i = 0; counter_read(&shadow.out) > 0; i++) {
                expect(i < 20000);
                shadow_take_late(&shadow);
                nap_us(1000);
        }
}

int main(void)
{
        struct dns_cache *cache;
        struct dns_pool *pool;

        make_base("shadow");
        write_recipients();
        fill();
        begin(&cache, &pool);
        run();
        await_late();
        uint64_t judged = counter_read(&shadow.counters.metrics[METRIC_shadow_sessions]);
        printf("%llu tapes handed over, %llu judged\n", (unsigned long long)handed,
               (unsigned long long)judged);
        expect(judged >= ROUNDS / 4 && judged <= handed);
        for (uint32_t i = 0; i < WORKERS; i++)
                expect_all_home(&shadow.lanes[i]);
        shadow_end(&shadow);
        dns_pool_destroy(pool);
        dns_cache_destroy(cache);
        expect(log_writer_stop(&log_writer));
        remove_base();
        return 0;
}
