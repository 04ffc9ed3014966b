/* The worker's loop: events, arrivals, reports, timers, log. */
#include "workers/inbound/worker.h"

#include "dns/clock.h"
#include "dns/pool/client.h"
#include "workers/inbound/accept/arrivals.h"
#include "workers/inbound/accept/self_accept.h"
#include "workers/inbound/connection_close.h"
#include "workers/inbound/connection_table.h"
#include "workers/inbound/connection_tls.h"
#include "workers/inbound/daemon/stream.h"
#include "workers/inbound/delivery_client.h"
#include "workers/inbound/hop/hop_client.h"
#include "workers/inbound/follow/follow.h"
#include "workers/inbound/ids.h"
#include "workers/inbound/filter/filter_client.h"
#include "workers/inbound/recipient/client.h"
#include "workers/inbound/worker_load.h"
#include "workers/inbound/worker_log.h"
#include "workers/thread/name.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>
#include <urcu/urcu-memb.h>

#define EVENTS_PER_TURN 256
#define EVENTS_FEW      4
#define RETRY_MS        1 /* while a ring is full */
/* Clients that say nothing make no event, and neither do those of others that use up the memory: they are found
 * within this time. */
#define LOOK_MS 1000

#define SESSION_BLOCK_SIZE     216 /* two hold the answers about a usual client, and its HELO */
#define TRANSACTION_BLOCK_SIZE 2048

/* ---- time and end -------------------------------------------------------------------------------------- */

static void worker_look_at_clock(struct worker *worker)
{
        worker->host.now_ms = clock_monotonic_ms();
        worker->host.wall_ms = clock_wall_ms();
}

/* What is to be remembered goes to a store that takes it, or within a second is lost. */
static void sender_end(struct worker *worker)
{
        for (int i = 0; i < 1000 && !sender_client_flush(worker->senders); i++)
                nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* ---- turn ---------------------------------------------------------------------------------------------- */

static bool has_work(const struct worker *worker)
{
        if (worker_has_arrivals(worker) ||
            (worker->self_accept != NULL && self_accept_has_orders(worker->self_accept)))
                return true;
        return delivery_client_has_reports(worker) || hop_client_has_reports(worker) ||
               dns_client_has_answers(worker->dns) || sender_client_has_answers(worker->senders) ||
               publication_agings(worker->publication) != worker->agings_seen ||
               atomic_load_explicit(&worker->stop_stage, memory_order_acquire) != (int)worker->stopping;
}

/* How long epoll may sleep; announces the sleep. */
static int prepare_sleep(struct worker *worker, bool is_all_sent)
{
        int wait_ms = wheel_wait_ms(&worker->wheel, worker->host.now_ms);
        int streams_ms = streams_wait_ms(worker->streams);

        if (streams_ms >= 0 && (wait_ms < 0 || streams_ms < wait_ms))
                wait_ms = streams_ms;

        if (!is_all_sent || connections_are_closing(&worker->connections))
                wait_ms = RETRY_MS;
        else
                wait_ms = worker_log_wait_ms(worker, wait_ms);
        if (worker->self_accept != NULL)
                wait_ms = self_accept_wait_ms(worker->self_accept, wait_ms);
        if (wait_ms < 0 || wait_ms > LOOK_MS)
                wait_ms = LOOK_MS;
        waker_prepare(&worker->waker);
        if (!worker_has_handshakes(&worker->tls) && !has_work(worker))
                return wait_ms;
        waker_stay_awake(&worker->waker);
        return 0;
}

static void take_answers(struct worker *worker)
{
        const struct dns_reply_message *message;
        while ((message = dns_client_receive(worker->dns)) != NULL)
                connection_answer(worker, message);

        const struct sender_job *job;
        while ((job = sender_client_receive(worker->senders)) != NULL)
                connection_sender_answer(worker, job);
}

static void take_time_outs(struct worker *worker)
{
        struct timer *timer;
        while ((timer = wheel_expire(&worker->wheel, worker->host.now_ms)) != NULL) {
                worker_note_at_hand(worker, (struct connection *)timer);
                connection_tick(worker, (struct connection *)timer);
        }
}

static void take_events(struct worker *worker, const struct epoll_event *events, int count)
{
        /* Who has little to do takes one connection at a time: the next one may be for a worker that sleeps,
         * and to find out that there is none costs a call. */
        uint64_t accepts = count <= EVENTS_FEW ? 1 : (uint64_t)count;

        for (int i = 0; i < count; i++) {
                uint64_t of = events[i].data.u64;
                if (of == EVENT_OF_WAKER)
                        continue;
                if (of & EVENT_OF_STREAM) {
                        streams_event(of, events[i].events);
                        continue;
                }
                if (of & EVENT_OF_LISTENER) {
                        self_accept_event(worker->self_accept,
                                          (struct listener *)(uintptr_t)(of & ~EVENT_OF_LISTENER), accepts);
                        continue;
                }
                /* None: it was closed since, and the event is of no use to who has its number now. */
                struct connection *connection = connection_table_find(&worker->connections, (int)of);
                if (connection == NULL)
                        continue;
                worker_note_at_hand(worker, connection);
                connection_event(worker, connection, events[i].events);
        }
}

/* Orders come before the news of a stop, so that whoever was accepted is told. */
static void look_around(struct worker *worker)
{
        uint64_t agings = publication_agings(worker->publication);
        enum stop_stage stage =
            (enum stop_stage)atomic_load_explicit(&worker->stop_stage, memory_order_acquire);

        if (worker->self_accept != NULL)
                self_accept_look(worker->self_accept);
        if (agings != worker->agings_seen) {
                worker->agings_seen = agings;
                connections_for_each(worker, connection_age);
        }
        if (stage != worker->stopping) {
                worker->stopping = stage;
                connections_for_each(worker, connection_stop);
        }
}

static void worker_turn(struct worker *worker, int wait_ms)
{
        struct epoll_event events[EVENTS_PER_TURN];

        heartbeat_sleep(&worker->heartbeat);
        int count = epoll_wait(worker->epoll_fd, events, EVENTS_PER_TURN, wait_ms);

        waker_stay_awake(&worker->waker);
        expect(count >= 0 || errno == EINTR);
        worker_look_at_clock(worker);
        heartbeat_turn(&worker->heartbeat, worker->host.now_ms);
        connections_close_later(worker);
        streams_turn(worker->streams, worker->host.now_ms);
        /* First, so that who has slept greets nobody by what was then. */
        worker_follow_look(worker);
        if (worker_look_at_load(worker))
                connections_for_each(worker, connection_stress);
        worker_take_arrivals(worker);
        take_events(worker, events, count);
        worker_take_handshakes(worker);
        delivery_client_receive(worker);
        hop_client_receive(worker);
        take_answers(worker);
        heartbeat_leave(&worker->heartbeat);
        look_around(worker);
        take_time_outs(worker);
        streams_expire(worker->streams);
        heartbeat_leave(&worker->heartbeat);
        /* Last, so that the sessions which end in the last turn hold nothing in what is told of it. */
        counter_set(&worker->counters.metrics[METRIC_memory_held], worker_memory_in_use(worker));
        counter_set(&worker->counters.metrics[METRIC_deliveries],
                    worker->jobs_sent_total + worker->hop_jobs_sent);
        worker_log_end_turn(worker);
        ids_prepare(&worker->host.ids, worker->host.wall_ms);
        dns_client_flush(worker->dns);
}

static bool is_finished(struct worker *worker)
{
        bool is_accepting = worker->self_accept != NULL && worker->self_accept->listener_count > 0;

        if (worker->stopping == STOP_NOW)
                return true;
        return worker->stopping >= STOP_IDLE && !is_accepting && worker->connections.open_count == 0 &&
               !connections_are_closing(&worker->connections) &&
               worker->jobs_sent_total + worker->hop_jobs_sent == 0 && !has_work(worker);
}

static void *worker_main(void *argument)
{
        struct worker *worker = argument;
        int wait_ms = 0;

        thread_set_name("worker", worker->number);
        urcu_memb_register_thread();
        do {
                worker_turn(worker, wait_ms);
                bool is_all_sent = delivery_client_flush(worker);
                is_all_sent = sender_client_flush(worker->senders) && is_all_sent;
                is_all_sent = hop_client_flush(worker) && is_all_sent;
                wait_ms = prepare_sleep(worker, is_all_sent);
        } while (!is_finished(worker));
        sender_end(worker);
        worker_log_end(worker);
        /* Nobody takes it for one that hangs while a stop waits for those behind it. */
        heartbeat_sleep(&worker->heartbeat);
        urcu_memb_unregister_thread();
        atomic_store(&worker->has_ended, true);
        return NULL;
}

/* ---- life ---------------------------------------------------------------------------------------------- */

static bool inflows_init(struct worker *worker)
{
        /* Without acceptors the worker counts for itself there. */
        uint32_t count = worker->acceptor_count == 0 ? 1 : worker->acceptor_count;

        worker->inflows = aligned_alloc(_Alignof(struct inflow), count * sizeof worker->inflows[0]);
        for (uint32_t i = 0; worker->inflows != NULL && i < count; i++)
                inflow_init(&worker->inflows[i]);
        return worker->inflows != NULL;
}

static bool buffers_init(struct worker *worker)
{
        char *out = malloc(WRITE_SIZE);

        worker->input = malloc(SESSION_INPUT_MAX + READ_SIZE);
        text_over(&worker->out, out, WRITE_SIZE);
        block_pool_init(&worker->host.session_pool, SESSION_BLOCK_SIZE, 0);
        block_pool_init(&worker->host.transaction_pool, TRANSACTION_BLOCK_SIZE, 0);
        content_pool_init(&worker->host.content_pool, 0);
        worker->host.session_pool.account = worker->host.transaction_pool.account =
            worker->host.content_pool.account = &worker->account;
        return out != NULL && worker->input != NULL && connections_init(&worker->connections) &&
               worker_tls_init(worker) && worker_log_init(worker);
}

static bool channels_init(struct worker *worker)
{
        worker->jobs_sent = calloc(worker->delivery_count + 1, sizeof worker->jobs_sent[0]);
        worker->reports = channels_create(worker->delivery_count + 1, &worker->waker);
        if (worker->jobs_sent == NULL || worker->reports == NULL)
                return false;
        for (uint32_t i = 0; i < worker->delivery_count; i++)
                delivery_connect(&worker->deliveries[i], worker->number, &worker->reports[i]);
        if (worker->journal != NULL)
                journal_connect(worker->journal, worker->number, &worker->reports[worker->delivery_count]);
        return hop_client_init(worker);
}

static bool epoll_init(struct worker *worker)
{
        struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = EVENT_OF_WAKER};

        worker->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        return worker->epoll_fd >= 0 && waker_open(&worker->waker) &&
               epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, worker->waker.event_fd, &event) == 0;
}

static void host_init(struct worker *worker, const struct worker_parts *parts)
{
        worker->dns = dns_pool_client(parts->dns_pool, worker->number, worker->waker.event_fd,
                                      &worker->waker.is_asleep);
        worker->senders =
            sender_store_client(parts->senders, worker->number, &worker->waker, &worker->counters);
        worker->host.counters = &worker->counters;
        worker->host.clock_ns = clock_monotonic_ns;
        worker->host.dns = dns_client_source(worker->dns);
        worker->host.senders = sender_client_source(worker->senders);
        worker->host.questions = parts->questions;
        worker->host.ledger = parts->ledger;
        worker->host.tls_no_go = parts->tls_no_go;
        worker->host.clients = parts->clients;
        worker->host.remembered = parts->remembered;
        worker_look_at_clock(worker);
        wheel_init(&worker->wheel, worker->host.now_ms);
        worker->streams = streams_create(worker->epoll_fd, &worker->account, worker->host.now_ms);
        worker->filters = filter_work_create(&worker->account);
}

bool worker_init(struct worker *worker, const struct worker_parts *parts)
{
        *worker = (struct worker){
            .number = parts->number,
            .worker_count = parts->worker_count,
            .acceptor_count = parts->acceptor_count,
            .delivery_count = parts->delivery_count,
            .self_accept = parts->self_accept,
            .publication = parts->publication,
            .clients = parts->clients,
            .deliveries = parts->deliveries,
            .hop_count = parts->hop_count,
            .hops = parts->hops,
            .journal = parts->journal,
            .log = parts->log,
            .load = parts->load,
            .handshakes = parts->handshakes,
            .account = {.budget = parts->budget},
            .log_buffers_max = worker_log_buffers(parts->log_memory_octets / parts->worker_count),
            .spools_early_max = parts->spools / 2 / parts->worker_count,
            .waker = {.event_fd = -1},
            .epoll_fd = -1,
        };
        if (!channels_init(worker) || !buffers_init(worker) || !inflows_init(worker) || !epoll_init(worker))
                return false;
        host_init(worker, parts);
        return worker->streams != NULL && worker->filters != NULL && recipient_client_init(worker) &&
               ids_init(&worker->host.ids, parts->id_key, worker->number, ids_begin(0, parts->id_lane));
}

bool worker_start(struct worker *worker)
{
        return pthread_create(&worker->thread, NULL, worker_main, worker) == 0;
}

void worker_wake(struct worker *worker)
{
        waker_wake(&worker->waker);
}

void worker_stop(struct worker *worker, enum stop_stage stage)
{
        atomic_store_explicit(&worker->stop_stage, (int)stage, memory_order_release);
        worker_wake(worker);
}

bool worker_join(struct worker *worker, uint64_t until_ms)
{
        return clock_join_thread(worker->thread, until_ms);
}

void worker_end(struct worker *worker)
{
        worker_log_free(worker);
        delivery_client_end(worker);
        hop_client_end(worker);
        connections_end(&worker->connections);
        recipient_client_end(worker);
        filter_work_destroy(worker->filters);
        streams_destroy(worker->streams);
        worker_tls_end(worker);
        block_pool_end(&worker->host.session_pool);
        block_pool_end(&worker->host.transaction_pool);
        content_pool_end(&worker->host.content_pool);
        ids_end(&worker->host.ids);
        free(worker->out.at);
        free(worker->input);
        free(worker->jobs_sent);
        free(worker->reports);
        free(worker->inflows);
        close(worker->epoll_fd);
        waker_close(&worker->waker);
}

/* Closed ones first: each was assigned before. */
uint64_t workers_open(const struct worker *workers, uint32_t worker_count)
{
        uint64_t closed = 0, assigned = 0;

        for (uint32_t i = 0; i < worker_count; i++)
                closed += counter_read(&workers[i].closed);
        for (uint32_t i = 0; i < worker_count; i++)
                assigned += worker_assigned(&workers[i]);
        return assigned > closed ? assigned - closed : 0;
}
