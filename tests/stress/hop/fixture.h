/* A hop thread for tests, and one worker's side of it. */
#pragma once

#include "dns/clock.h"
#include "tests/stress/hop/peer.h"
#include "workers/hop/thread.h"

#include <fcntl.h>
#include <unistd.h>

#define LONG_MS 60000 /* nothing that is to happen takes so long */

static struct log_writer log_writer;
static struct hop_thread hops;
static struct budget budget;
static uint64_t budget_octets = (uint64_t)64 << 20;
static struct waker waker;
static struct channel *reports;
static struct content_pool pool;
static struct domain isp = {.name = {"isp.example", 11}};

static struct hop_settings settings = {.hostname = "mx.isp.example",
                                       .threads = 1,
                                       .connections_max = 4,
                                       .waiting_max = 8,
                                       .failures_max = 2,
                                       .connect_ms = LONG_MS,
                                       .open_ms = LONG_MS,
                                       .idle_ms = LONG_MS,
                                       .retry_ms = LONG_MS};

static inline void set_up(void)
{
        int log_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

        expect(log_fd >= 0 && log_writer_init(&log_writer, log_target_of(log_fd), 0) &&
               log_writer_start(&log_writer));
        content_pool_init(&pool, 10);
        expect(waker_open(&waker));
        reports = channels_create(1, &waker);
        for (size_t i = 0; i < HOP_PATIENCES; i++)
                settings.patience_ms[i] = LONG_MS;
}

/* Each test has a thread of its own, so that no connection is left. */
static inline void begin(const struct hop_settings *its)
{
        budget = (struct budget){0}; /* the threads before have not given theirs back */
        budget_set(&budget, budget_octets, 90);
        expect(hop_thread_init(
            &hops, &(struct hop_thread_parts){
                       .worker_count = 1, .settings = its, .budget = &budget, .log = &log_writer}));
        hop_thread_connect(&hops, 0, reports);
        expect(hop_thread_start(&hops));
}

static inline void end(void)
{
        hop_thread_stop(&hops);
        expect(hop_thread_join(&hops, clock_monotonic_ms() + LONG_MS));
        hop_thread_end(&hops);
}

/* ---- jobs ---------------------------------------------------------------------------------------------- */

static inline struct transfer *make(const struct next_hop *targets, size_t target_count,
                                    unsigned recipient_count)
{
        static const char *const addresses[] = {"a@isp.example", "b@isp.example", "c@isp.example"};
        struct recipient recipients[3];

        for (unsigned i = 0; i < recipient_count; i++)
                recipients[i] =
                    (struct recipient){.next = i + 1 < recipient_count ? &recipients[i + 1] : NULL,
                                       .address = span_from(addresses[i]),
                                       .domain = &isp};
        struct message message = {.id = "TEST",
                                  .sender = SPAN("me@example.com"),
                                  .recipients = recipients,
                                  .recipient_count = recipient_count};
        struct transfer *transfer = transfer_create(
            &(struct transfer_parts){.message = &message, .hops = targets, .hop_count = target_count});
        expect(transfer != NULL);
        return transfer;
}

static inline void post(struct transfer *transfer, enum transfer_job_kind kind, struct span text)
{
        struct transfer_job *job = malloc(sizeof *job);

        expect(job != NULL);
        *job = (struct transfer_job){.kind = kind, .transfer = transfer};
        expect(content_append(&job->content, &pool, text));
        channel_send(&hops.jobs[0], &job->parcel);
        channel_flush(&hops.jobs[0]);
}

/* The next report, which must be of this job. */
static inline void take(const struct transfer *transfer, enum transfer_job_kind kind)
{
        struct transfer_job *job;

        while ((job = (struct transfer_job *)channel_receive(reports)) == NULL) {
                waker_prepare(&waker);
                if (channel_is_empty(reports))
                        waker_sleep(&waker);
                else
                        waker_stay_awake(&waker);
        }
        expect(job->transfer == transfer && job->kind == kind);
        content_release(&job->content, &pool);
        free(job);
}

static inline struct transfer *open_one(const struct next_hop *targets, size_t target_count,
                                        unsigned recipients, bool is_to_open)
{
        struct transfer *transfer = make(targets, target_count, recipients);

        post(transfer, TRANSFER_OPEN, SPAN(""));
        take(transfer, TRANSFER_OPEN);
        expect(transfer->is_open == is_to_open);
        return transfer;
}

static inline void expect_fate(const struct transfer *transfer, unsigned recipient, enum hop_fate fate,
                               unsigned code)
{
        const struct transfer_recipient *settled = &transfer->recipients[recipient];
        expect(settled->is_settled && settled->fate == fate && settled->code == code);
}

static inline void finish(struct transfer *transfer, struct span text)
{
        post(transfer, TRANSFER_STORE, text);
        take(transfer, TRANSFER_STORE);
}

static inline void abandon(struct transfer *transfer)
{
        post(transfer, TRANSFER_ABORT, SPAN(""));
        take(transfer, TRANSFER_ABORT);
        free(transfer);
}
