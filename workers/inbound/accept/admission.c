/* Limits, and the refusals of those who exceed them. */
#include "workers/inbound/accept/admission.h"

#include "conf/socket_address.h"
#include "conf/value/list.h"
#include "dns/clock.h"
#include "workers/inbound/worker.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define LOOK_MS         4  /* the counts may be so old, ... */
#define LOOK_CLIENTS    64 /* ... or so many connections, where there is much room */
#define REFUSAL_LOG_MS  1000
#define SHORTAGE_LOG_MS 60000

static int open_spare(void)
{
        return eventfd(0, EFD_CLOEXEC);
}

void admission_init(struct admission *admission, const struct admission_parts *parts)
{
        *admission = (struct admission){.parts = *parts, .spare_fd = open_spare()};
        dns_look_init(&admission->looks, parts->dns_cache);
        door_init(&admission->door, &admission->looks.source, parts->ledger, parts->host);
}

void admission_end(struct admission *admission)
{
        if (admission->spare_fd >= 0)
                close(admission->spare_fd);
        door_end(&admission->door);
}

static void tell_log(struct admission *admission, const char *event, ...)
{
        va_list pairs;

        va_start(pairs, event);
        admission->parts.log(admission->parts.logger, event, pairs);
        va_end(pairs);
}

/* ---- room ---------------------------------------------------------------------------------------------- */

/* Several who accept may together exceed the limit by less than their number: near it each lets in one at a
 * time. */
static uint64_t left_to(const struct admission *admission)
{
        uint64_t left = admission->open < admission->max ? admission->max - admission->open : 0;
        uint64_t sharers = admission->parts.sharer_count;
        uint64_t share = sharers == 1 || left == 0                      ? left
                         : left >= UINT64_C(2) * LOOK_CLIENTS * sharers ? LOOK_CLIENTS
                                                                        : 1;

        return share < LOOK_CLIENTS ? share : LOOK_CLIENTS;
}

void admission_look(struct admission *admission, const struct snapshot *snapshot)
{
        const struct admission_parts *parts = &admission->parts;

        admission->max = load_sessions_max(&snapshot->options, parts->sessions_max);
        admission->open = workers_open(parts->workers, parts->worker_count);
        admission->looked_ms = admission->now_ms;
        admission->left = left_to(admission);
}

uint64_t admission_room(struct admission *admission, const struct snapshot *snapshot)
{
        if (admission->left == 0 || admission->now_ms - admission->looked_ms >= LOOK_MS)
                admission_look(admission, snapshot);
        if (admission->left == 0 && !atomic_exchange(&admission->parts.load->is_full, true))
                tell_log(admission, "limit_reached", LOG_NUMBER("sessions", admission->max), NULL);
        return admission->left;
}

/* Unknown clients are refused from this percentage of all places on. */
static uint64_t known_from(const struct snapshot *snapshot)
{
        return rung_begins_at(RUNG_known, (uint32_t)snapshot->options.stress_at);
}

/* The places above those that unknown clients may have are known clients' own: these do not wait until an unknown one
 * leaves, but only until half of their places are free. */
static uint64_t resumes_below(const struct snapshot *snapshot)
{
        uint64_t known = known_from(snapshot);
        return known < 100 ? (known + 100) / 2 : 95;
}

bool admission_may_resume(struct admission *admission, const struct snapshot *snapshot)
{
        admission_look(admission, snapshot);
        if (admission->open * 100 >= admission->max * resumes_below(snapshot))
                return false;
        if (atomic_exchange(&admission->parts.load->is_full, false))
                tell_log(admission, "limit_left", NULL);
        return true;
}

/* The rung known by an exact count: a flood can take all places before the overseer looks again. */
static bool keeps_rest_for_known(struct admission *admission, const struct snapshot *snapshot)
{
        uint64_t known = known_from(snapshot);

        if (known == 100 || admission->open * 100 < admission->max * known)
                return false;
        /* Who has slept in accept4() since the counts were looked at does not know who has left. */
        if (admission->now_ms - admission->looked_ms >= LOOK_MS)
                admission_look(admission, snapshot);
        return admission->open * 100 >= admission->max * known;
}

/* ---- shortage ------------------------------------------------------------------------------------------ */

bool error_is_shortage(int error)
{
        return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM || error == ENOSPC;
}

static bool may_log_shortage(struct admission *admission)
{
        if (admission->shortage_logged_ms != 0 &&
            admission->now_ms - admission->shortage_logged_ms < SHORTAGE_LOG_MS)
                return false;
        admission->shortage_logged_ms = admission->now_ms;
        return true;
}

void admission_note_shortage(struct admission *admission, const char *event, int error)
{
        if (may_log_shortage(admission))
                tell_log(admission, event, "reason", strerror(error), NULL);
}

void admission_note_deaf(struct admission *admission, const struct listener *listener, int error)
{
        char name[ENDPOINT_TEXT_MAX];

        if (!may_log_shortage(admission))
                return;
        endpoint_write(&listener->endpoint.address, listener->port, name);
        tell_log(admission, "listen_failed", "address", name, "reason", strerror(error), NULL);
}

void admission_leave(struct admission *admission, struct listener *listener)
{
        /* The main thread may free it at once. */
        const struct address address = listener->endpoint.address;
        uint16_t port = listener->port;
        uint32_t left = listener_leave(listener);
        char name[ENDPOINT_TEXT_MAX];

        if (left == 0)
                return;
        endpoint_write(&address, port, name);
        tell_log(admission, "clients_left", "address", name, LOG_NUMBER("clients", left), NULL);
}

/* ---- clients ------------------------------------------------------------------------------------------- */

/* Once a second. */
static void log_refusal(struct admission *admission, const struct address *client, const char *reason)
{
        char name[ADDRESS_TEXT_MAX + 1];

        if (admission->refusal_logged_ms != 0 &&
            admission->now_ms - admission->refusal_logged_ms < REFUSAL_LOG_MS) {
                admission->refusals_unlogged++;
                return;
        }
        address_write_string(client, name);
        tell_log(admission, "client_refused", "client", name, "reason", reason,
                 LOG_NUMBER("more_before", admission->refusals_unlogged), NULL);
        admission->refusal_logged_ms = admission->now_ms;
        admission->refusals_unlogged = 0;
}

/* The end of what we send comes before the close, so that a client that has something under way already reads the
 * line, and no reset in its place; line and end are one segment. */
static void send_away(const struct snapshot *snapshot, int fd, const struct client_reply *reply)
{
        char octets[1024];
        struct text line;

        text_over(&line, octets, sizeof octets);
        client_reply_write(&line, snapshot, reply);
        send(fd, line.at, line.length, MSG_NOSIGNAL | MSG_MORE);
        shutdown(fd, SHUT_WR);
        close(fd);
}

/* `reason`: for the log, terminated. */
static void refuse(struct admission *admission, const struct snapshot *snapshot, int fd,
                   const struct address *client, enum reply_id reply, const char *reason)
{
        send_away(snapshot, fd, &(struct client_reply){.id = reply, .client = client});
        log_refusal(admission, client, reason);
}

/* The check client_rate. True: the socket is closed. */
static bool refuses_by_rate(struct admission *admission, const struct snapshot *snapshot,
                            struct arrival *arrival)
{
        const struct address *client = &arrival->peer.client;
        struct rate_excess *excess = &arrival->excess;
        char reason[256];
        struct text text;

        if (!client_is_rated(snapshot, client))
                return false;
        enum reply_id reply = client_admit(snapshot, admission->parts.ledger, admission->parts.counters,
                                           client, admission->now_ms, excess);
        if (reply == REPLY_NONE)
                return false;
        text_over(&text, reason, sizeof reason - 1);
        text_put_string(&text, "client_rate: ");
        rate_excess_write(&text, excess, client, &snapshot->options);
        reason[text.length] = '\0';
        recent_note(&admission->parts.host->refused, client);
        refuse(admission, snapshot, arrival->fd, client, reply, reason);
        return true;
}

/* With all that a session's line would have: the id that the client was told leads here. */
static void log_listed(struct admission *admission, const struct snapshot *snapshot,
                       const struct session_peer *peer, const struct door_refusal *refusal)
{
        struct span status = snapshot->replies[refusal->reply].status;
        char name[ADDRESS_TEXT_MAX + 1], code[32];

        address_write_string(&peer->client, name);
        span_copy_cut(span_trim(status), code, sizeof code);
        tell_log(admission, "client_refused", "client", name, LOG_NUMBER("port", peer->client_port), "reason",
                 "listed", "check", check_infos[refusal->check].name, "reply",
                 reply_infos[refusal->reply].name, "code", code, "reject_id", refusal->reject_id, "evidence",
                 refusal->evidence, NULL);
}

/* The ladder of load, and what the cache knows. True: the socket is closed. */
static bool refuses_at_door(struct admission *admission, const struct snapshot *snapshot,
                            const struct arrival *arrival)
{
        struct session_host *host = admission->parts.host;
        const struct session_peer *peer = &arrival->peer;
        struct door_refusal refusal;

        if (admission->parts.host_is_own) {
                host->now_ms = admission->now_ms;
                host->wall_ms = clock_wall_ms();
                host->rung = load_rung(admission->parts.load);
        }
        if (peer->needs_proxy_header || door_lets_in(&admission->door, snapshot, &peer->client,
                                                     keeps_rest_for_known(admission, snapshot), &refusal))
                return false;
        recent_note(&host->refused, &peer->client);
        send_away(snapshot, arrival->fd,
                  &(struct client_reply){.id = refusal.reply,
                                         .client = &peer->client,
                                         .subject = span_from(refusal.subject),
                                         .reject_id = refusal.reject_id});
        if (refusal.reject_id[0] != '\0')
                log_listed(admission, snapshot, peer, &refusal);
        else
                log_refusal(admission, &peer->client, refusal.check == CHECK_COUNT ? "load" : "listed");
        return true;
}

bool admission_judge(struct admission *admission, const struct snapshot *snapshot,
                     const struct listener *listener, int fd, const struct sockaddr *client,
                     struct arrival *ret_arrival)
{
        struct session_peer *peer = &ret_arrival->peer;
        const char *limit = NULL;

        *ret_arrival = (struct arrival){.fd = fd};
        *peer = (struct session_peer){
            .server = listener->endpoint.address,
            .server_port = listener->port,
            .needs_proxy_header = atomic_load_explicit(&listener->needs_proxy_header, memory_order_relaxed),
            .accepted_ms = admission->now_ms,
        };
        if (!address_from_socket(client, &peer->client, &peer->client_port)) {
                close(fd);
                return false;
        }
        if (load_draining(admission->parts.load) == DRAINING_CLIENTS) {
                refuse(admission, snapshot, fd, &peer->client, REPLY_server_closing, "server_closing");
                return false;
        }
        /* A balancer is not one client. */
        if (!network_list_contains(&snapshot->options.proxy_networks, &peer->client)) {
                if (refuses_by_rate(admission, snapshot, ret_arrival) ||
                    refuses_at_door(admission, snapshot, ret_arrival))
                        return false;
                limit = client_table_enter(admission->parts.clients, &peer->client, &snapshot->options,
                                           &ret_arrival->seat);
        }
        if (limit != NULL) {
                refuse(admission, snapshot, fd, &peer->client, REPLY_too_many_connections, limit);
                return false;
        }
        admission->open++;
        if (admission->left > 0)
                admission->left--;
        return true;
}

void admission_send_away(struct admission *admission, const struct snapshot *snapshot,
                         const struct arrival *arrival)
{
        client_table_leave(admission->parts.clients, &arrival->peer.client, &arrival->seat);
        refuse(admission, snapshot, arrival->fd, &arrival->peer.client, REPLY_no_room, "out of memory");
}

/* The spare descriptor makes room for one, and is there for the next one again. */
static int accept_by_spare(struct admission *admission, const struct listener *listener,
                           struct sockaddr_storage *ret_client)
{
        socklen_t length = sizeof *ret_client;
        int fd = accept4(listener->fd, (struct sockaddr *)ret_client, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0 || (errno != EMFILE && errno != ENFILE) || admission->spare_fd < 0)
                return fd;
        close(admission->spare_fd);
        admission->spare_fd = -1;
        length = sizeof *ret_client;
        return accept4(listener->fd, (struct sockaddr *)ret_client, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

enum accepted admission_turn_away(struct admission *admission, const struct snapshot *snapshot,
                                  const struct listener *listener)
{
        struct sockaddr_storage storage;
        struct address client;
        uint16_t port;
        int fd = accept_by_spare(admission, listener, &storage);
        enum accepted accepted = fd >= 0                    ? ACCEPTED
                                 : errno == EAGAIN          ? ACCEPTED_NOBODY
                                 : error_is_shortage(errno) ? ACCEPTED_SHORTAGE
                                                            : ACCEPTED;

        if (fd >= 0 && address_from_socket((const struct sockaddr *)&storage, &client, &port))
                refuse(admission, snapshot, fd, &client, REPLY_server_closing, "server_closing");
        else if (fd >= 0)
                close(fd);
        if (admission->spare_fd < 0)
                admission->spare_fd = open_spare();
        return accepted;
}
