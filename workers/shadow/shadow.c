/* Start, thread and stop. */
#include "workers/shadow/shadow.h"

#include "conf/value/rate.h"
#include "dns/clock.h"
#include "dns/pool/client.h"
#include "workers/shadow/case.h"
#include "workers/shadow/difference.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
#include <urcu/urcu-memb.h>

#define NICE    10
#define LOOK_MS 20 /* for tapes: workers wake nobody for one */

/* ---- bounds -------------------------------------------------------------------------------------------- */

static void begin_second(struct shadow_run *run, uint64_t now_ms)
{
        if (now_ms - run->second_ms < 1000)
                return;
        run->second_ms = now_ms;
        run->asked = run->told = 0;
        run->own_ns = clock_thread_cpu_ns();
        run->all_ns = clock_process_cpu_ns();
}

/* ---- thread -------------------------------------------------------------------------------------------- */

static void take(struct shadow *shadow, struct shadow_parcel *parcel)
{
        struct shadow_run *run = shadow->run;
        uint64_t now_ms = clock_monotonic_ms();

        begin_second(run, now_ms);
        if (parcel->epoch != atomic_load_explicit(&shadow->epoch, memory_order_relaxed)) {
                run->counts.outdated++;
                shadow_parcel_return(parcel);
        } else if (shadow_has_cost_enough(run)) {
                run->counts.over_cost++;
                shadow_parcel_return(parcel);
        } else {
                shadow_judge(shadow, parcel, now_ms);
        }
}

static bool is_stopping(const struct shadow *shadow)
{
        return atomic_load_explicit(&shadow->is_stopping, memory_order_acquire);
}

/* The lock is left between two sessions, so that whoever wants to see the counts does. True: there was something. */
static bool turn(struct shadow *shadow)
{
        bool is_any = false;

        pthread_mutex_lock(&shadow->lock);
        begin_second(shadow->run, clock_monotonic_ms());
        shadow_take_answers(shadow, clock_monotonic_ms());
        pthread_mutex_unlock(&shadow->lock);
        for (uint32_t i = 0; i < shadow->parts.worker_count && !is_stopping(shadow); i++) {
                struct shadow_parcel *parcel = shadow_lane_take(&shadow->lanes[i]);
                if (parcel == NULL)
                        continue;
                is_any = true;
                pthread_mutex_lock(&shadow->lock);
                take(shadow, parcel);
                pthread_mutex_unlock(&shadow->lock);
        }
        dns_client_flush(shadow->dns);
        return is_any;
}

static void *shadow_main(void *argument)
{
        struct shadow *shadow = argument;

        pthread_setname_np(pthread_self(), "shadow");
        setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
        urcu_memb_register_thread();
        while (!is_stopping(shadow)) {
                bool is_any = turn(shadow);
                waker_prepare(&shadow->waker);
                if (is_any || dns_client_has_answers(shadow->dns) || is_stopping(shadow))
                        waker_stay_awake(&shadow->waker);
                else
                        waker_nap(&shadow->waker, LOOK_MS);
        }
        urcu_memb_unregister_thread();
        return NULL;
}

/* ---- start and stop ------------------------------------------------------------------------------------ */

static bool open_lanes(struct shadow *shadow)
{
        bool are_open = true;

        for (uint32_t i = 0; i < shadow->parts.worker_count; i++)
                are_open = are_open && shadow_lane_open(&shadow->lanes[i]);
        return are_open;
}

static void set_share(struct shadow *shadow, uint32_t share_ppm)
{
        for (uint32_t i = 0; i < shadow->parts.worker_count; i++)
                atomic_store_explicit(&shadow->lanes[i].sink.share_ppm, share_ppm, memory_order_relaxed);
}

/* No thread takes them: what comes after a stop stays there until the next start. */
static void empty_lanes(struct shadow *shadow)
{
        struct shadow_parcel *parcel;

        for (uint32_t i = 0; i < shadow->parts.worker_count; i++)
                while ((parcel = shadow_lane_take(&shadow->lanes[i])) != NULL)
                        shadow_parcel_return(parcel);
}

bool shadow_init(struct shadow *shadow, const struct shadow_parts *parts)
{
        *shadow = (struct shadow){.parts = *parts, .waker = {.event_fd = -1}};
        shadow->out_max = parts->dns_places / SHADOW_OUT_PART;
        if (shadow->out_max > SHADOW_OUT_MAX)
                shadow->out_max = SHADOW_OUT_MAX;
        pthread_mutex_init(&shadow->lock, NULL);
        shadow->lanes =
            aligned_alloc(_Alignof(struct shadow_lane), parts->worker_count * sizeof shadow->lanes[0]);
        if (shadow->lanes == NULL || !waker_open(&shadow->waker))
                return false;
        for (uint32_t i = 0; i < parts->worker_count; i++)
                shadow_lane_init(&shadow->lanes[i], &shadow->epoch);
        shadow->dns =
            dns_pool_client(parts->dns_pool, parts->client, shadow->waker.event_fd, &shadow->waker.is_asleep);
        return true;
}

struct tape_sink *shadow_sink(struct shadow *shadow, uint32_t worker)
{
        return &shadow->lanes[worker].sink;
}

static void free_run(struct shadow_run *run)
{
        if (run == NULL)
                return;
        rehearsal_destroy(run->rehearsal);
        block_pool_end(&run->pool);
        free(run->cases);
        free(run);
}

static struct shadow_run *create_run(struct shadow *shadow, struct shadow_subject *subject)
{
        struct shadow_run *run = calloc(1, sizeof *run);

        if (run == NULL)
                return NULL;
        block_pool_init(&run->pool, 16384, 64);
        run->cases = calloc(SHADOW_CASES + 1, sizeof run->cases[0]);
        run->rehearsal = rehearsal_create(subject->snapshot);
        if (run->cases == NULL || run->rehearsal == NULL) {
                free_run(run);
                return NULL;
        }
        run->subject = subject;
        run->begun_s = run->since_s = clock_wall_s();
        run->further.ask = shadow_ask;
        run->rehearsal->visit = shadow_note;
        run->rehearsal->context = shadow;
        run->rehearsal->player.further = &run->further;
        return run;
}

struct shadow_lane_counts shadow_count_lanes(const struct shadow *shadow)
{
        struct shadow_lane_counts counts = {0};

        for (uint32_t i = 0; i < shadow->parts.worker_count; i++) {
                counts.lost += counter_read(&shadow->lanes[i].lost);
                counts.too_long += counter_read(&shadow->lanes[i].too_long);
                counts.outdated += counter_read(&shadow->lanes[i].outdated);
        }
        return counts;
}

const char *shadow_start(struct shadow *shadow, struct shadow_subject *subject)
{
        if (shadow->lanes == NULL || shadow->is_left)
                return "a shadow cannot be started in this process any more";
        empty_lanes(shadow);
        struct shadow_run *run = open_lanes(shadow) ? create_run(shadow, subject) : NULL;
        if (run == NULL)
                return "out of memory";
        run->before = shadow_count_lanes(shadow);
        atomic_fetch_add(&shadow->epoch, 1);
        atomic_store(&shadow->is_stopping, false);
        pthread_mutex_lock(&shadow->lock);
        shadow->run = run;
        pthread_mutex_unlock(&shadow->lock);
        if (pthread_create(&shadow->thread, NULL, shadow_main, shadow) != 0) {
                pthread_mutex_lock(&shadow->lock);
                shadow->run = NULL;
                pthread_mutex_unlock(&shadow->lock);
                free_run(run);
                return "its thread cannot be started";
        }
        set_share(shadow, subject->share_ppm);
        char share[32];
        struct text text;
        text_over(&text, share, sizeof share - 1);
        share_write(&text, subject->share_ppm);
        share[text.length] = '\0';
        log_event(shadow->parts.log, "shadow_started", "path", subject->path, "share", share, NULL);
        return NULL;
}

void shadow_forget(struct shadow *shadow)
{
        struct shadow_run *run = shadow->run;

        if (run == NULL)
                return;
        pthread_mutex_lock(&shadow->lock);
        atomic_fetch_add(&shadow->epoch, 1);
        if (rehearsal_forget(run->rehearsal)) {
                run->counts = (struct shadow_counts){0};
                run->since_s = clock_wall_s();
                run->before = shadow_count_lanes(shadow);
        }
        run->reloads++;
        pthread_mutex_unlock(&shadow->lock);
}

void shadow_take_late(struct shadow *shadow)
{
        if (shadow->lanes != NULL && shadow->run == NULL)
                shadow_take_answers(shadow, clock_monotonic_ms());
}

struct shadow_subject *shadow_subject_create(void)
{
        struct shadow_subject *subject = calloc(1, sizeof *subject);

        if (subject != NULL)
                feed_keeper_init(&subject->feeds);
        return subject;
}

void shadow_subject_free(struct shadow_subject *subject)
{
        if (subject == NULL)
                return;
        if (subject->snapshot != NULL)
                feed_keeper_forget(subject->snapshot);
        feed_keeper_end(&subject->feeds);
        snapshot_free(subject->snapshot);
        free(subject);
}

bool shadow_halt(struct shadow *shadow, const char *why, uint64_t until_ms)
{
        struct shadow_run *run = shadow->run;

        if (run == NULL)
                return true;
        set_share(shadow, 0);
        atomic_fetch_add(&shadow->epoch, 1);
        atomic_store_explicit(&shadow->is_stopping, true, memory_order_release);
        waker_wake(&shadow->waker);
        if (!clock_join_thread(shadow->thread, until_ms)) {
                shadow->is_left = true;
                return false;
        }
        const struct rehearsal_result *result = &run->rehearsal->result;
        log_event(shadow->parts.log, "shadow_ended", "path", run->subject->path, "reason", why,
                  LOG_NUMBER("sessions", result->judged),
                  LOG_NUMBER("refuses_more", result->tally.changes[CHANGE_REFUSES_MORE]),
                  LOG_NUMBER("refuses_less", result->tally.changes[CHANGE_REFUSES_LESS]), NULL);
        return true;
}

/* Its thread has ended. */
static void drop_run(struct shadow *shadow)
{
        struct shadow_run *run = shadow->run;

        if (run == NULL)
                return;
        shadow_drop_cases(shadow);
        pthread_mutex_lock(&shadow->lock);
        shadow->run = NULL;
        pthread_mutex_unlock(&shadow->lock);
        empty_lanes(shadow);
        shadow_subject_free(run->subject);
        free_run(run);
}

bool shadow_stop(struct shadow *shadow, const char *why, uint64_t until_ms)
{
        bool has_ended = shadow_halt(shadow, why, until_ms);

        if (has_ended)
                drop_run(shadow);
        return has_ended;
}

void shadow_end(struct shadow *shadow)
{
        if (shadow->lanes == NULL)
                return;
        drop_run(shadow);
        for (uint32_t i = 0; i < shadow->parts.worker_count; i++)
                shadow_lane_end(&shadow->lanes[i]);
        free(shadow->lanes);
        waker_close(&shadow->waker);
        pthread_mutex_destroy(&shadow->lock);
}
