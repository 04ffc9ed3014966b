/* Who is let in, and to which worker. */
#include "workers/admission.h"

#include "core/smtp/admit.h"

#include <unistd.h>

#define REFUSAL_SAY_MS 1000

/* `reason`: for the log, terminated. */
static void refuse(struct acceptor *acceptor, const struct snapshot *snapshot, int fd,
                   const struct address *client, enum reply_id reply, const char *reason)
{
        char octets[1024], name[ADDRESS_TEXT_MAX + 1], unsaid[24];
        struct text line, name_text;

        text_over(&line, octets, sizeof octets);
        refusal_write(&line, snapshot, reply, client);
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
        log_event(acceptor->log, "client_refused", "client", name, "reason", reason, "more_before", unsaid,
                  NULL);
        acceptor->refusal_said_ms = acceptor->now_ms;
        acceptor->refusals_unsaid = 0;
}

/* The less loaded of two neighbours, which move on each time: nearly as even as the best of all, and looks at
 * two only. */
static struct worker *choose_worker(struct acceptor *acceptor)
{
        struct worker *first = &acceptor->workers[acceptor->turn++ % acceptor->worker_count];
        struct worker *second = &acceptor->workers[acceptor->turn % acceptor->worker_count];
        uint32_t first_open = atomic_load_explicit(&first->open, memory_order_relaxed);
        return first_open <= atomic_load_explicit(&second->open, memory_order_relaxed) ? first : second;
}

static void deal_out(struct acceptor *acceptor, int fd, const struct client_seat *seat,
                     const struct session_peer *peer)
{
        struct arrival *arrival = malloc(sizeof *arrival);
        struct worker *worker = choose_worker(acceptor);

        if (arrival == NULL) {
                client_table_rise(acceptor->clients, &peer->client, seat);
                close(fd);
                return;
        }
        arrival->fd = fd;
        arrival->seat = *seat;
        arrival->peer = *peer;
        atomic_fetch_add_explicit(&worker->open, 1, memory_order_relaxed);
        channel_send(&worker->arrivals[acceptor->number], &arrival->parcel);
}

/* The check client_rate. True: the socket is closed. */
static bool refuses_by_rate(struct acceptor *acceptor, const struct snapshot *snapshot, int fd,
                            struct session_peer *peer)
{
        char reason[256];
        struct text text;

        if (!client_is_rated(snapshot, &peer->client))
                return false;
        enum reply_id reply = client_admit(snapshot, acceptor->ledger, &acceptor->counters, &peer->client,
                                           acceptor->now_ms, &peer->excess);
        if (reply == REPLY_COUNT)
                return false;
        text_over(&text, reason, sizeof reason - 1);
        text_put_string(&text, "client_rate: ");
        rate_excess_write(&text, &peer->excess, &peer->client, &snapshot->options);
        reason[text.length] = '\0';
        refuse(acceptor, snapshot, fd, &peer->client, reply, reason);
        return true;
}

void acceptor_admit(struct acceptor *acceptor, const struct snapshot *snapshot,
                    const struct listener *listener, int fd, const struct sockaddr *client)
{
        struct session_peer peer = {
            .server = listener->endpoint.address,
            .server_port = listener->port,
            .needs_proxy_header = atomic_load_explicit(&listener->needs_proxy_header, memory_order_relaxed),
        };
        struct client_seat seat = {0};
        const char *limit = NULL;

        if (!address_from_socket(client, &peer.client, &peer.client_port)) {
                close(fd);
                return;
        }
        /* A balancer is not one client. */
        if (!network_list_contains(&snapshot->options.proxy_networks, &peer.client)) {
                if (refuses_by_rate(acceptor, snapshot, fd, &peer))
                        return;
                limit = client_table_sit(acceptor->clients, &peer.client, &snapshot->options, &seat);
        }
        if (limit != NULL)
                refuse(acceptor, snapshot, fd, &peer.client, REPLY_too_many_connections, limit);
        else
                deal_out(acceptor, fd, &seat, &peer);
}
