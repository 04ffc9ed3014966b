/* Measuring, and telling. */
#include "workers/server/overseer/overseer.h"

#include "dns/clock.h"
#include "dns/pool/pool.h"
#include "workers/log/writer.h"

#include <stdio.h>
#include <time.h>
#include <urcu/urcu-memb.h>

#define LOOK_MS               50
#define IN_FLIGHT_PERCENT     80   /* of the pressure of questions is for those that have a place */
#define WAITING_FOR_EACH_LANE 4096 /* questions that may be on their way from a worker to a thread */

/* ---- pressures ----------------------------------------------------------------------------------------- */

static uint32_t percent(uint64_t part, uint64_t whole)
{
        return whole == 0 ? 0 : part >= whole ? 100 : (uint32_t)(part * 100 / whole);
}

static uint32_t of_connections(const struct overseer_parts *parts, const struct options *options)
{
        return percent(workers_open(parts->workers, parts->worker_count),
                       load_sessions_max(options, parts->sessions_max));
}

static uint32_t of_memory(const struct budget *budget)
{
        return percent(atomic_load_explicit(&budget->leased, memory_order_relaxed),
                       atomic_load_explicit(&budget->max, memory_order_relaxed));
}

static uint32_t of_questions(const struct overseer_parts *parts, const struct options *options)
{
        uint64_t places = parts->dns_in_flight_max * options->dns_threads;
        uint64_t ways = (uint64_t)parts->worker_count * options->dns_threads * WAITING_FOR_EACH_LANE;
        uint64_t shadow_out = counter_read(parts->shadow_out);
        struct dns_pool_counts counts;

        dns_pool_count(parts->dns_pool, &counts);
        uint64_t in_flight = counts.in_flight > shadow_out ? counts.in_flight - shadow_out : 0;
        return percent(in_flight, places) * IN_FLIGHT_PERCENT / 100 +
               percent(counts.waiting, ways) * (100 - IN_FLIGHT_PERCENT) / 100;
}

static uint32_t of_deliveries(const struct overseer_parts *parts, const struct options *options)
{
        uint64_t messages = 0;

        for (uint32_t i = 0; i < parts->worker_count; i++)
                messages += counter_read(&parts->workers[i].counters.metrics[METRIC_deliveries]);
        return percent(messages, options->deliveries_max);
}

static uint32_t of_handshakes(const struct overseer_parts *parts, const struct options *options)
{
        return percent(atomic_load_explicit(parts->handshakes, memory_order_relaxed),
                       options->tls_handshakes_max);
}

static void measure(struct overseer *overseer, const struct options *options, struct ladder_load *ret_load)
{
        const struct overseer_parts *parts = &overseer->parts;

        *ret_load = (struct ladder_load){
            .percents =
                {
                    [PRESSURE_connections] = of_connections(parts, options),
                    [PRESSURE_memory] = of_memory(parts->budget),
                    [PRESSURE_questions] = of_questions(parts, options),
                    [PRESSURE_deliveries] = of_deliveries(parts, options),
                    [PRESSURE_handshakes] = of_handshakes(parts, options),
                    [PRESSURE_turns] = turns_percent(&overseer->turns),
                },
            .is_full = atomic_load_explicit(&parts->load->is_full, memory_order_relaxed),
        };
}

/* ---- the ladder ---------------------------------------------------------------------------------------- */

static void tell(struct overseer *overseer, enum rung before, const struct ladder_load *load)
{
        const struct ladder *ladder = &overseer->ladder;
        const uint32_t *percents = load->percents;

        log_event(overseer->parts.log, "load", "rung", rung_names[ladder->rung], "before", rung_names[before],
                  "cause", ladder->rung > before ? pressure_names[ladder->cause] : "calm",
                  LOG_NUMBER("connections", percents[PRESSURE_connections]),
                  LOG_NUMBER("memory", percents[PRESSURE_memory]),
                  LOG_NUMBER("questions", percents[PRESSURE_questions]),
                  LOG_NUMBER("deliveries", percents[PRESSURE_deliveries]),
                  LOG_NUMBER("handshakes", percents[PRESSURE_handshakes]),
                  LOG_NUMBER("turns", percents[PRESSURE_turns]), NULL);
}

static void climb(struct overseer *overseer, uint64_t now_ms)
{
        const struct overseer_parts *parts = &overseer->parts;
        struct published *published = publication_pin(parts->publication, parts->pinner);
        const struct options *options = &published->snapshot->options;
        enum rung before = overseer->ladder.rung;
        struct ladder_load load;

        measure(overseer, options, &load);
        bool has_changed = ladder_look(&overseer->ladder, &load, (uint32_t)options->stress_at, now_ms);
        publication_unpin(published, parts->pinner);
        if (!has_changed)
                return;
        atomic_store_explicit(&parts->load->rung, (int)overseer->ladder.rung, memory_order_relaxed);
        counter_set(&overseer->counters.metrics[METRIC_load_rung], overseer->ladder.rung);
        counter_add(&overseer->counters.metrics[METRIC_load_changes], 1);
        tell(overseer, before, &load);
        /* Who sleeps has sessions whose time limits change. */
        for (uint32_t i = 0; i < parts->worker_count; i++)
                worker_wake(&parts->workers[i]);
}

/* ---- workers that do not turn -------------------------------------------------------------------------- */

static void tell_stall(struct overseer *overseer, uint32_t number)
{
        struct heartbeat_view view = heartbeat_look(&overseer->parts.workers[number].heartbeat);
        char name[ADDRESS_TEXT_MAX + 1] = "";

        if (view.state != NULL)
                address_write_string(&view.client, name);
        counter_add(&overseer->counters.metrics[METRIC_workers_stalled], 1);
        log_event(overseer->parts.log, "worker_stalled", LOG_NUMBER("worker", number), "client", name,
                  LOG_NUMBER("port", view.port), "state", view.state == NULL ? "" : view.state, "id", view.id,
                  NULL);
}

static void watch_turns(struct overseer *overseer, uint64_t now_ms)
{
        for (uint32_t i = 0; i < overseer->parts.worker_count; i++) {
                uint64_t turn_ms =
                    atomic_load_explicit(&overseer->parts.workers[i].heartbeat.turn_ms, memory_order_relaxed);
                uint64_t stalled_ms;
                _Atomic bool *is_stalled = &overseer->parts.workers[i].heartbeat.is_stalled;
                switch (turns_look(&overseer->turns, i, turn_ms, now_ms, &stalled_ms)) {
                case TURN_GOES_ON:
                        break;
                case TURN_STALLS:
                        atomic_store_explicit(is_stalled, true, memory_order_relaxed);
                        tell_stall(overseer, i);
                        break;
                case TURN_IS_OVER:
                        atomic_store_explicit(is_stalled, false, memory_order_relaxed);
                        log_event(overseer->parts.log, "worker_turns", LOG_NUMBER("worker", i),
                                  LOG_NUMBER("ms", stalled_ms), NULL);
                        break;
                }
        }
        turns_end_look(&overseer->turns, now_ms);
}

/* ---- other threads, and the watchdog ------------------------------------------------------------------- */

static void tell_other(struct overseer *overseer, uint32_t number, enum turn_news news, uint64_t stalled_ms)
{
        char name[32] = "main";

        if (number < overseer->parts.acceptor_count)
                snprintf(name, sizeof name, "acceptor-%u", number);
        if (news == TURN_STALLS)
                log_event(overseer->parts.log, "thread_stalled", "thread", name, NULL);
        if (news == TURN_IS_OVER)
                log_event(overseer->parts.log, "thread_turns", "thread", name, LOG_NUMBER("ms", stalled_ms),
                          NULL);
}

static void watch_others(struct overseer *overseer, uint64_t now_ms)
{
        const struct overseer_parts *parts = &overseer->parts;

        for (uint32_t i = 0; i <= parts->acceptor_count; i++) {
                const struct heartbeat *heartbeat =
                    i < parts->acceptor_count ? &parts->acceptors[i].heartbeat : parts->main_thread;
                uint64_t turn_ms = atomic_load_explicit(&heartbeat->turn_ms, memory_order_relaxed);
                uint64_t stalled_ms;
                enum turn_news news = turns_look(&overseer->others, i, turn_ms, now_ms, &stalled_ms);
                if (news != TURN_GOES_ON)
                        tell_other(overseer, i, news, stalled_ms);
        }
        turns_end_look(&overseer->others, now_ms);
}

static void beat(struct overseer *overseer, uint64_t now_ms)
{
        bool is_end = atomic_load_explicit(&overseer->is_end, memory_order_relaxed);

        watchdog_look(&overseer->watchdog,
                      is_end || (turns_go_on(&overseer->turns) && turns_go_on(&overseer->others)), now_ms);
}

/* ---- life ---------------------------------------------------------------------------------------------- */

static void *overseer_main(void *argument)
{
        const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
        struct overseer *overseer = argument;

        pthread_setname_np(pthread_self(), "overseer");
        urcu_memb_register_thread();
        while (!atomic_load_explicit(&overseer->is_stopping, memory_order_relaxed)) {
                uint64_t now_ms = clock_monotonic_ms();
                watch_turns(overseer, now_ms);
                watch_others(overseer, now_ms);
                beat(overseer, now_ms);
                climb(overseer, now_ms);
                atomic_store_explicit(&overseer->looked_ms, now_ms, memory_order_relaxed);
                nanosleep(&pause, NULL);
        }
        urcu_memb_unregister_thread();
        return NULL;
}

bool overseer_init(struct overseer *overseer, const struct overseer_parts *parts)
{
        *overseer = (struct overseer){
            .parts = *parts, .watchdog = {.notify = parts->notify}, .looked_ms = clock_monotonic_ms()};
        return turns_init(&overseer->turns, parts->worker_count) &&
               turns_init(&overseer->others, parts->acceptor_count + 1);
}

bool overseer_start(struct overseer *overseer)
{
        overseer->is_started = pthread_create(&overseer->thread, NULL, overseer_main, overseer) == 0;
        return overseer->is_started;
}

void overseer_note_end(struct overseer *overseer)
{
        atomic_store(&overseer->is_end, true);
}

bool overseer_stop(struct overseer *overseer, uint64_t until_ms)
{
        atomic_store(&overseer->is_stopping, true);
        return !overseer->is_started || clock_join_thread(overseer->thread, until_ms);
}

void overseer_end(struct overseer *overseer)
{
        turns_end(&overseer->turns);
        turns_end(&overseer->others);
}
