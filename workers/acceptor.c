/* The acceptor's loop. */
#include "workers/acceptor.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>
#include <urcu/urcu-memb.h>

#define EVENTS_PER_TURN 16
#define BATCH_MAX       64  /* of one listener, in one turn */
#define BACKLOG_BATCHES 128 /* more than the longest backlog: what comes later comes too late */
#define SHORTAGE_MS     100 /* pause when descriptors or memory are out */
#define LOOK_AGAIN_MS   20  /* while full or under stress */
#define SHORTAGE_SAY_MS 60000
#define REFUSAL_SAY_MS  1000

/* One turn's view of the limits. */
struct limits {
        const struct snapshot *snapshot;
        uint64_t open, max;
};

uint64_t workers_open(const struct worker *workers, uint32_t worker_count)
{
        uint64_t open = 0;
        for (uint32_t i = 0; i < worker_count; i++)
                open += atomic_load_explicit(&workers[i].open, memory_order_relaxed);
        return open;
}

static struct limits look_at_limits(struct acceptor *acceptor, const struct snapshot *snapshot)
{
        struct limits limits = {.snapshot = snapshot, .max = snapshot->options.connections_max};

        if (limits.max == 0 || limits.max > acceptor->sessions_max)
                limits.max = acceptor->sessions_max;
        limits.open = workers_open(acceptor->workers, acceptor->worker_count);
        bool under_stress = limits.open * 100 >= limits.max * snapshot->options.stress_at;
        if (under_stress != atomic_load_explicit(&acceptor->load->under_stress, memory_order_relaxed))
                atomic_store_explicit(&acceptor->load->under_stress, under_stress, memory_order_relaxed);
        return limits;
}

/* ---- pause ---------------------------------------------------------------------------------------------------- */

static bool watch(struct acceptor *acceptor, struct listener *listener)
{
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = listener};

        if (acceptor->acceptor_count > 1)
                event.events |= EPOLLEXCLUSIVE;
        return epoll_ctl(acceptor->epoll_fd, EPOLL_CTL_ADD, listener->fd, &event) == 0;
}

static void unwatch(struct acceptor *acceptor, struct listener *listener)
{
        epoll_ctl(acceptor->epoll_fd, EPOLL_CTL_DEL, listener->fd, NULL);
}

static void acceptor_pause(struct acceptor *acceptor, uint64_t pause_ms)
{
        for (size_t i = 0; i < acceptor->listener_count && !acceptor->is_paused; i++)
                unwatch(acceptor, acceptor->listeners[i]);
        acceptor->is_paused = true;
        acceptor->look_again_ms = acceptor->now_ms + pause_ms;
}

static void pause_when_full(struct acceptor *acceptor, const struct limits *limits)
{
        char max[24];

        acceptor_pause(acceptor, LOOK_AGAIN_MS);
        if (atomic_exchange(&acceptor->load->is_full, true))
                return;
        snprintf(max, sizeof max, "%llu", (unsigned long long)limits->max);
        log_event(acceptor->log, "limit_reached", "sessions", max, NULL);
}

static void pause_for_shortage(struct acceptor *acceptor, int error)
{
        acceptor_pause(acceptor, SHORTAGE_MS);
        if (acceptor->shortage_said_ms != 0 && acceptor->now_ms - acceptor->shortage_said_ms < SHORTAGE_SAY_MS)
                return;
        acceptor->shortage_said_ms = acceptor->now_ms;
        log_event(acceptor->log, "accept_failed", "reason", strerror(error), NULL);
}

static void resume_when_possible(struct acceptor *acceptor, const struct limits *limits)
{
        if (!acceptor->is_paused || acceptor->now_ms < acceptor->look_again_ms)
                return;
        acceptor->look_again_ms = acceptor->now_ms + LOOK_AGAIN_MS;
        if (limits->open * 100 >= limits->max * 95)
                return;
        for (size_t i = 0; i < acceptor->listener_count; i++)
                if (!watch(acceptor, acceptor->listeners[i])) {
                        while (i-- > 0)
                                unwatch(acceptor, acceptor->listeners[i]);
                        return;
                }
        acceptor->is_paused = false;
        if (atomic_exchange(&acceptor->load->is_full, false))
                log_event(acceptor->log, "limit_left", NULL);
}

/* ---- clients -------------------------------------------------------------------------------------------------- */

static void put_refusal(struct text *line, const struct snapshot *snapshot, const struct address *client)
{
        const struct reply_template *template = &snapshot->replies[REPLY_too_many_connections];

        text_put(line, template->status);
        for (size_t i = 0; i < template->text.length; i++) {
                char c = template->text.at[i];
                if (c == '%' && i + 1 < template->text.length) {
                        c = template->text.at[++i];
                        if (c == 'c')
                                address_write(line, client);
                        else if (c == 'n')
                                text_put_string(line, snapshot->options.hostname);
                        else if (c == '%')
                                text_put_char(line, c);
                } else {
                        text_put_char(line, c);
                }
        }
        text_put(line, SPAN("\r\n"));
}

static void refuse(struct acceptor *acceptor, const struct snapshot *snapshot, int fd, const struct address *client)
{
        char octets[1024], name[ADDRESS_TEXT_MAX + 1], unsaid[24];
        struct text line, name_text;

        text_over(&line, octets, sizeof octets);
        put_refusal(&line, snapshot, client);
        send(fd, line.at, line.length, MSG_NOSIGNAL);
        close(fd);
        if (acceptor->refusal_said_ms != 0 && acceptor->now_ms - acceptor->refusal_said_ms < REFUSAL_SAY_MS) {
                acceptor->refusals_unsaid++;
                return;
        }
        text_over(&name_text, name, sizeof name);
        address_write(&name_text, client);
        text_put_char(&name_text, '\0');
        snprintf(unsaid, sizeof unsaid, "%llu", (unsigned long long)acceptor->refusals_unsaid);
        log_event(acceptor->log, "client_refused", "client", name, "reason", "connections_per_client", "more_before", unsaid,
                  NULL);
        acceptor->refusal_said_ms = acceptor->now_ms;
        acceptor->refusals_unsaid = 0;
}

/* The less loaded of two neighbours, which move on each time: nearly as even as the best of all, and looks at two only. */
static struct worker *choose_worker(struct acceptor *acceptor)
{
        struct worker *first = &acceptor->workers[acceptor->turn++ % acceptor->worker_count];
        struct worker *second = &acceptor->workers[acceptor->turn % acceptor->worker_count];
        uint32_t first_open = atomic_load_explicit(&first->open, memory_order_relaxed);
        return first_open <= atomic_load_explicit(&second->open, memory_order_relaxed) ? first : second;
}

static void deal_out(struct acceptor *acceptor, int fd, bool is_counted, const struct session_peer *peer)
{
        struct arrival *arrival = malloc(sizeof *arrival);
        struct worker *worker = choose_worker(acceptor);

        if (arrival == NULL) {
                if (is_counted)
                        client_table_leave(acceptor->clients, &peer->client);
                close(fd);
                return;
        }
        arrival->fd = fd;
        arrival->is_counted = is_counted;
        arrival->peer = *peer;
        atomic_fetch_add_explicit(&worker->open, 1, memory_order_relaxed);
        channel_send(&worker->arrivals[acceptor->number], &arrival->parcel);
}

static void admit(struct acceptor *acceptor, const struct snapshot *snapshot, const struct listener *listener, int fd,
                  const struct sockaddr *client)
{
        struct session_peer peer = {
            .server = listener->endpoint.address,
            .server_port = listener->port,
            .needs_proxy_header = atomic_load_explicit(&listener->needs_proxy_header, memory_order_relaxed),
        };
        uint64_t max = snapshot->options.connections_per_client;

        if (!address_from_socket(client, &peer.client, &peer.client_port)) {
                close(fd);
                return;
        }
        /* A balancer is not one client. */
        bool is_counted = !network_list_contains(&snapshot->options.proxy_networks, &peer.client);
        if (is_counted && client_table_enter(acceptor->clients, &peer.client) > max && max != 0) {
                client_table_leave(acceptor->clients, &peer.client);
                refuse(acceptor, snapshot, fd, &peer.client);
                return;
        }
        deal_out(acceptor, fd, is_counted, &peer);
}

/* ---- listeners ------------------------------------------------------------------------------------------------ */

/* Takes up to `max` connections; gives the error that ended it, or 0. Errors of single connections (accept(2)) are passed over. */
static int accept_batch(struct acceptor *acceptor, const struct snapshot *snapshot, const struct listener *listener,
                        uint64_t max)
{
        for (uint64_t i = 0; i < max; i++) {
                struct sockaddr_storage client;
                socklen_t length = sizeof client;
                int fd = accept4(listener->fd, (struct sockaddr *)&client, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);

                if (fd >= 0)
                        admit(acceptor, snapshot, listener, fd, (const struct sockaddr *)&client);
                else if (errno == EAGAIN || errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                        return errno;
        }
        return 0;
}

static void accept_from(struct acceptor *acceptor, struct limits *limits, struct listener *listener)
{
        /* Each acceptor takes its share of what is left, so that together they do not exceed it by more than their number. */
        uint64_t left = limits->open < limits->max ? limits->max - limits->open : 0;
        uint64_t share = (left + acceptor->acceptor_count - 1) / acceptor->acceptor_count;

        if (acceptor->is_paused)
                return;
        if (share == 0) {
                pause_when_full(acceptor, limits);
                return;
        }
        int error = accept_batch(acceptor, limits->snapshot, listener, share < BATCH_MAX ? share : BATCH_MAX);
        if (error != 0 && error != EAGAIN)
                pause_for_shortage(acceptor, error);
        limits->open = workers_open(acceptor->workers, acceptor->worker_count);
}

static void listen_on(struct acceptor *acceptor, struct listener *listener)
{
        struct listener **longer =
            realloc(acceptor->listeners, (acceptor->listener_count + 1) * sizeof acceptor->listeners[0]);

        if (longer != NULL)
                acceptor->listeners = longer;
        if (longer == NULL || (!acceptor->is_paused && !watch(acceptor, listener))) {
                log_event(acceptor->log, "listen_failed", "reason", strerror(errno), NULL);
                listener_leave(listener);
                return;
        }
        acceptor->listeners[acceptor->listener_count++] = listener;
}

/* Nobody who has connected is left behind, be there room or not. */
static void leave(struct acceptor *acceptor, const struct snapshot *snapshot, struct listener *listener)
{
        for (size_t i = 0; i < acceptor->listener_count; i++) {
                if (acceptor->listeners[i] != listener)
                        continue;
                unwatch(acceptor, listener);
                for (int batches = 0; batches < BACKLOG_BATCHES; batches++)
                        if (accept_batch(acceptor, snapshot, listener, BATCH_MAX) != 0)
                                break;
                acceptor->listeners[i] = acceptor->listeners[--acceptor->listener_count];
                listener_leave(listener);
                return;
        }
}

/* ---- turn ----------------------------------------------------------------------------------------------------- */

static void take_orders(struct acceptor *acceptor, const struct snapshot *snapshot)
{
        struct parcel *parcel;

        while ((parcel = channel_receive(acceptor->orders)) != NULL) {
                struct acceptor_order *order = (struct acceptor_order *)parcel;
                switch (order->kind) {
                case ACCEPTOR_LISTEN:
                        listen_on(acceptor, order->listener);
                        break;
                case ACCEPTOR_LEAVE:
                        leave(acceptor, snapshot, order->listener);
                        break;
                case ACCEPTOR_STOP:
                        while (acceptor->listener_count > 0)
                                leave(acceptor, snapshot, acceptor->listeners[0]);
                        acceptor->is_stopping = true;
                        break;
                }
                free(order);
        }
}

static void acceptor_turn(struct acceptor *acceptor, int wait_ms)
{
        struct epoll_event events[EVENTS_PER_TURN];
        int count = epoll_wait(acceptor->epoll_fd, events, EVENTS_PER_TURN, wait_ms);
        struct timespec now;

        waker_stay_awake(&acceptor->waker);
        expect(count >= 0 || errno == EINTR);
        clock_gettime(CLOCK_MONOTONIC, &now);
        acceptor->now_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;

        struct published *published = current_pin(acceptor->current, acceptor->worker_count + acceptor->number);
        struct limits limits = look_at_limits(acceptor, published->snapshot);
        for (int i = 0; i < count; i++)
                if (events[i].data.ptr != NULL)
                        accept_from(acceptor, &limits, events[i].data.ptr);
        take_orders(acceptor, published->snapshot);
        resume_when_possible(acceptor, &limits);
        current_unpin(published, acceptor->worker_count + acceptor->number);
}

static bool flush_workers(struct acceptor *acceptor)
{
        bool is_all = true;
        for (uint32_t i = 0; i < acceptor->worker_count; i++)
                is_all &= channel_flush(&acceptor->workers[i].arrivals[acceptor->number]);
        return is_all;
}

static int prepare_sleep(struct acceptor *acceptor, bool is_all_sent)
{
        if (!is_all_sent)
                return 1;
        waker_prepare(&acceptor->waker);
        if (!channel_is_empty(acceptor->orders)) {
                waker_stay_awake(&acceptor->waker);
                return 0;
        }
        bool looks_again =
            acceptor->is_paused || atomic_load_explicit(&acceptor->load->under_stress, memory_order_relaxed);
        return looks_again ? LOOK_AGAIN_MS : -1;
}

static void *acceptor_main(void *argument)
{
        struct acceptor *acceptor = argument;
        bool is_all_sent;
        int wait_ms = 0;

        urcu_memb_register_thread();
        do {
                acceptor_turn(acceptor, wait_ms);
                is_all_sent = flush_workers(acceptor);
                wait_ms = prepare_sleep(acceptor, is_all_sent);
        } while (!acceptor->is_stopping || !is_all_sent);
        urcu_memb_unregister_thread();
        return NULL;
}

/* ---- life ----------------------------------------------------------------------------------------------------- */

bool acceptor_init(struct acceptor *acceptor)
{
        struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = NULL};

        acceptor->waker.event_fd = -1;
        acceptor->orders = channels_create(1, &acceptor->waker);
        acceptor->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        return acceptor->orders != NULL && acceptor->epoll_fd >= 0 && waker_open(&acceptor->waker) &&
               epoll_ctl(acceptor->epoll_fd, EPOLL_CTL_ADD, acceptor->waker.event_fd, &event) == 0;
}

bool acceptor_start(struct acceptor *acceptor)
{
        return pthread_create(&acceptor->thread, NULL, acceptor_main, acceptor) == 0;
}

bool acceptor_order(struct acceptor *acceptor, enum acceptor_order_kind kind, struct listener *listener)
{
        struct acceptor_order *order = malloc(sizeof *order);

        if (order == NULL)
                return false;
        order->kind = kind;
        order->listener = listener;
        channel_send(acceptor->orders, &order->parcel);
        while (!channel_flush(acceptor->orders))
                nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        return true;
}

void acceptor_join(struct acceptor *acceptor)
{
        pthread_join(acceptor->thread, NULL);
}

void acceptor_end(struct acceptor *acceptor)
{
        free(acceptor->listeners);
        free(acceptor->orders);
        close(acceptor->epoll_fd);
        waker_close(&acceptor->waker);
}
