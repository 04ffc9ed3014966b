/* Who is let in. */
#include "workers/inbound/admission.h"

#include "conf/socket_address.h"
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
        if (acceptor->refusal_said_ms != 0 &&
            acceptor->worker->host.now_ms - acceptor->refusal_said_ms < REFUSAL_SAY_MS) {
                acceptor->refusals_unsaid++;
                return;
        }
        text_over(&name_text, name, sizeof name);
        address_write(&name_text, client);
        text_put_char(&name_text, '\0');
        snprintf(unsaid, sizeof unsaid, "%llu", (unsigned long long)acceptor->refusals_unsaid);
        worker_log_event(acceptor->worker, "client_refused", "client", name, "reason", reason, "more_before",
                         unsaid, NULL);
        acceptor->refusal_said_ms = acceptor->worker->host.now_ms;
        acceptor->refusals_unsaid = 0;
}

/* The check client_rate. True: the socket is closed. */
static bool refuses_by_rate(struct acceptor *acceptor, const struct snapshot *snapshot, int fd,
                            const struct session_peer *peer, struct rate_excess *excess)
{
        char reason[256];
        struct text text;

        if (!client_is_rated(snapshot, &peer->client))
                return false;
        enum reply_id reply =
            client_admit(snapshot, acceptor->worker->host.ledger, &acceptor->worker->counters, &peer->client,
                         acceptor->worker->host.now_ms, excess);
        if (reply == REPLY_NONE)
                return false;
        text_over(&text, reason, sizeof reason - 1);
        text_put_string(&text, "client_rate: ");
        rate_excess_write(&text, excess, &peer->client, &snapshot->options);
        reason[text.length] = '\0';
        refuse(acceptor, snapshot, fd, &peer->client, reply, reason);
        return true;
}

void acceptor_admit(struct acceptor *acceptor, const struct snapshot *snapshot,
                    const struct listener *listener, int fd, const struct sockaddr *client)
{
        struct arrival arrival = {.fd = fd};
        struct session_peer *peer = &arrival.peer;
        struct rate_excess excess = {0};
        const char *limit = NULL;

        *peer = (struct session_peer){
            .server = listener->endpoint.address,
            .server_port = listener->port,
            .needs_proxy_header = atomic_load_explicit(&listener->needs_proxy_header, memory_order_relaxed),
        };
        if (!address_from_socket(client, &peer->client, &peer->client_port)) {
                close(fd);
                return;
        }
        /* A balancer is not one client. */
        if (!network_list_contains(&snapshot->options.proxy_networks, &peer->client)) {
                if (refuses_by_rate(acceptor, snapshot, fd, peer, &excess))
                        return;
                limit = client_table_enter(acceptor->worker->clients, &peer->client, &snapshot->options,
                                           &arrival.seat);
        }
        if (limit != NULL) {
                refuse(acceptor, snapshot, fd, &peer->client, REPLY_too_many_connections, limit);
                return;
        }
        peer->excess = excess.is_over ? &excess : NULL;
        atomic_fetch_add_explicit(&acceptor->worker->open, 1, memory_order_relaxed);
        connection_begin(acceptor->worker, &arrival);
}
