/* A journal with its writer and its drain for tests, in a fresh folder. The test itself is the workers and the hop
 * thread. */
#pragma once

#include "tests/stress/folder_fixture.h"

#include "dns/clock.h"
#include "workers/journal/drain.h"

#include <stdio.h>
#include <stdlib.h>

#define WORKERS 2
#define SEGMENT JOURNAL_SEGMENT_MIN
#define NO_WAIT 60000

/* One run of a server. */
struct run {
        struct log_writer log;
        struct journal journal;
        struct journal_drain drain;
        struct waker waker; /* of the test */
        struct channel *reports[WORKERS];
        struct channel *hop;
};

static struct content_pool pool;
static char journal_path[300], dead_letters[300];
static struct journal_drain_settings drain_settings = {.dead_letters = dead_letters,
                                                       .lifetime_ms = 3600000,
                                                       .retry_min_ms = 1,
                                                       .retry_max_ms = 10,
                                                       .in_flight_max = 20};
static uint64_t journal_size = UINT64_C(6) * SEGMENT;

static inline void run_start(struct run *run)
{
        struct journal_settings settings = {
            .path = journal_path, .size = journal_size, .segment_size = SEGMENT, .messages_max = 100000};
        int log_fd = open(in_base("log"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

        expect(log_fd >= 0 && log_writer_init(&run->log, log_target_of(log_fd), 0) &&
               log_writer_start(&run->log));
        expect(waker_open(&run->waker));
        expect(journal_init(&run->journal, &settings, WORKERS, &run->log));
        for (uint32_t i = 0; i < WORKERS; i++) {
                run->reports[i] = channels_create(1, &run->waker);
                journal_connect(&run->journal, i, run->reports[i]);
        }
        run->hop = channels_create(1, &run->waker);
        expect(journal_drain_init(&run->drain, &run->journal, &drain_settings, 1, &run->log));
        journal_drain_connect(&run->drain, 0, run->hop);
        expect(journal_drain_start(&run->drain) && journal_start(&run->journal));
}

static inline void run_return(struct run *run, struct journal_delivery *delivery, enum journal_try result)
{
        delivery->result = result;
        channel_send(&run->drain.returns[0], &delivery->parcel);
        channel_flush(&run->drain.returns[0]);
}

/* What was handed out comes back untried until all is over, as from a hop thread that ends. */
static inline void run_stop(struct run *run)
{
        struct journal_delivery *delivery;

        journal_drain_stop(&run->drain);
        while (!journal_drain_join(&run->drain, clock_monotonic_ms() + 1))
                while ((delivery = (struct journal_delivery *)channel_receive(run->hop)) != NULL)
                        run_return(run, delivery, JOURNAL_UNTRIED);
        journal_stop(&run->journal);
        expect(journal_join(&run->journal, clock_monotonic_ms() + 60000));
        journal_drain_end(&run->drain);
        journal_end(&run->journal);
        expect(log_writer_stop(&run->log));
        log_writer_end(&run->log);
        for (uint32_t i = 0; i < WORKERS; i++)
                free(run->reports[i]);
        free(run->hop);
        waker_close(&run->waker);
}

static inline struct parcel *run_wait(struct run *run, struct channel *channel)
{
        struct parcel *parcel;

        while ((parcel = channel_receive(channel)) == NULL) {
                waker_prepare(&run->waker);
                if (channel_is_empty(channel))
                        waker_nap(&run->waker, 1000);
                else
                        waker_stay_awake(&run->waker);
        }
        return parcel;
}

static inline struct journal_delivery *run_take(struct run *run)
{
        return (struct journal_delivery *)run_wait(run, run->hop);
}

/* The next one, which must be for this id; all its recipients that wait get this state. */
static inline void run_settle(struct run *run, const char *id, enum recipient_state state)
{
        struct journal_delivery *delivery = run_take(run);

        expect(span_equals(delivery->message.id, span_from(id)));
        for (uint32_t i = 0; i < delivery->message.recipient_count; i++)
                if (delivery->states[i] == RECIPIENT_WAITS)
                        delivery->states[i] = (uint8_t)state;
        snprintf(delivery->reason, sizeof delivery->reason, "550 5.1.1 as the test says");
        run_return(run, delivery, JOURNAL_TRIED);
}

/* ---- messages ------------------------------------------------------------------------------------------ */

static struct journal_origin origin = {{"192.0.2.1", 9}, {"client.example", 14}, {"lmtp:unix:/s", 12}, false};

/* A job with all that it lends. */
struct sent {
        struct journal_job job;
        struct message message;
        struct recipient recipients[2];
};

static inline struct sent *send_job(struct run *run, enum delivery_kind kind, const char *id,
                                    struct spool *spool, struct span text)
{
        struct sent *sent = calloc(1, sizeof *sent);

        expect(sent != NULL && content_append(&sent->job.delivery.content, &pool, text));
        sent->recipients[0] =
            (struct recipient){.address = SPAN("a@isp.example"), .next = &sent->recipients[1]};
        sent->recipients[1] = (struct recipient){.address = SPAN("b@isp.example")};
        sent->message = (struct message){
            .sender = SPAN("me@example.com"), .recipients = sent->recipients, .recipient_count = 2};
        snprintf(sent->message.id, sizeof sent->message.id, "%s", id);
        sent->job.origin = origin;
        sent->job.delivery.kind = kind;
        sent->job.delivery.message = &sent->message;
        sent->job.delivery.spool = spool;
        sent->job.delivery.sent_ms = clock_monotonic_ms();
        channel_send(&run->journal.jobs[0], &sent->job.delivery.parcel);
        channel_flush(&run->journal.jobs[0]);
        return sent;
}

static inline enum store_outcome finish_job(struct run *run)
{
        struct sent *sent = (struct sent *)run_wait(run, run->reports[0]);
        enum store_outcome outcome = sent->job.delivery.outcome;

        content_release(&sent->job.delivery.content, &pool);
        free(sent);
        return outcome;
}

static inline enum store_outcome store(struct run *run, const char *id, struct span text)
{
        send_job(run, DELIVERY_STORE, id, NULL, text);
        return finish_job(run);
}

static inline bool content_equals(const struct content *content, struct span text)
{
        bool is_equal = content->length == text.length;

        for (const struct content_block *block = content->first; is_equal && block != NULL;
             block = block->next) {
                is_equal = memcmp(block->octets, text.at, block->length) == 0;
                text = span_skip(text, block->length);
        }
        return is_equal;
}

/* Until nothing waits. */
static inline void wait_until_settled(struct run *run)
{
        while (atomic_load(&run->journal.counts.waiting) > 0)
                usleep(1000);
}
