/* Which sockets there are is the main thread's business; who accepts from them is told by orders. */
#include "workers/server/listening.h"

#include "conf/value/list.h"
#include "dns/clock.h"
#include "workers/log/console.h"
#include "workers/process/powers.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#define DEPARTED_WAIT_MS (DEPARTURE_MAX_MS + 500)
#define DEPARTED_LOOK_MS 2

/* The listeners of a snapshot, in one list. */
struct wanted {
        const struct endpoint *endpoint;
        bool needs_proxy_header;
};

static size_t wanted_count(const struct snapshot *snapshot)
{
        return snapshot->options.listen.count + snapshot->options.proxy_listen.count;
}

static struct wanted wanted_at(const struct snapshot *snapshot, size_t i)
{
        const struct endpoint_list *plain = &snapshot->options.listen,
                                   *proxy = &snapshot->options.proxy_listen;
        if (i < plain->count)
                return (struct wanted){&plain->endpoints[i], false};
        return (struct wanted){&proxy->endpoints[i - plain->count], true};
}

static struct listener *find_listener(struct listener *listeners, const struct endpoint *endpoint)
{
        while (listeners != NULL && !endpoint_equals(&listeners->endpoint, endpoint))
                listeners = listeners->next;
        return listeners;
}

/* ---- opening ------------------------------------------------------------------------------------------- */

static void say_listener(struct server *server, const char *event, const struct listener *listener)
{
        char name[ENDPOINT_TEXT_MAX];

        if (listener->number > 0)
                return;
        endpoint_write(&listener->endpoint.address, listener->port, name);
        log_event(&server->log, event, "address", name, NULL);
        if (strcmp(event, "listener_opened") == 0)
                console_print("gatepost: listening on %s%s", name,
                              atomic_load(&listener->needs_proxy_header) ? " (PROXY)" : "");
}

static uint32_t sockets_of_each(const struct server *server)
{
        return server->acceptor_count == 0 ? 1 : server->acceptor_count;
}

/* What an operator can do about it, too. */
static const char *reason_of(int error, uint16_t port)
{
        if (error == EACCES && port < 1024 && !powers_has_low_ports())
                return "ports below 1024 take a start as root or CAP_NET_BIND_SERVICE, which is given up "
                       "then: "
                       "restart, let systemd open it (socket activation), or say keep_bind_capability = yes";
        return strerror(error);
}

/* `complaints`: of a reload, which tells them; NULL at the start. */
static void tell_failure(struct server *server, const struct endpoint *endpoint, uint16_t port, int error,
                         struct conf_complaints *complaints)
{
        char name[ENDPOINT_TEXT_MAX];

        endpoint_write(&endpoint->address, port, name);
        if (complaints == NULL)
                console_fail("gatepost: cannot listen on %s: %s", name, reason_of(error, port));
        else
                conf_complain(complaints, COMPLAINT_ERROR, &(struct place){server->path, 0},
                              "cannot listen on %s: %s", name, reason_of(error, port));
        log_event(&server->log, "listen_failed", "address", name, "reason", reason_of(error, port), NULL);
}

/* Frees those of a list that their users have closed. */
static void sweep(struct listener **list)
{
        for (struct listener **link = list, *listener; (listener = *link) != NULL;) {
                if (!atomic_load_explicit(&listener->is_closed, memory_order_acquire)) {
                        link = &listener->next;
                        continue;
                }
                *link = listener->next;
                listener->next = NULL;
                listeners_free(listener);
        }
}

/* An endpoint that was taken away a moment ago can be bound only when that socket is closed. */
static void await_departed(struct server *server, const struct endpoint *endpoint)
{
        uint64_t until_ms = clock_monotonic_ms() + DEPARTED_WAIT_MS;

        sweep(&server->departing);
        while (find_listener(server->departing, endpoint) != NULL && clock_monotonic_ms() < until_ms) {
                nanosleep(&(struct timespec){.tv_nsec = DEPARTED_LOOK_MS * 1000000L}, NULL);
                sweep(&server->departing);
        }
}

/* Takes the sockets of this endpoint out of those that were bound early. */
static struct listener *take_early(struct server *server, const struct wanted *wanted)
{
        struct listener *taken = NULL, **end = &taken;

        for (struct listener **link = &server->early.bound, *listener; (listener = *link) != NULL;) {
                if (!endpoint_equals(&listener->endpoint, wanted->endpoint)) {
                        link = &listener->next;
                        continue;
                }
                *link = listener->next;
                listener->next = NULL;
                atomic_store(&listener->needs_proxy_header, wanted->needs_proxy_header);
                *end = listener;
                end = &listener->next;
        }
        return taken;
}

/* Sockets for it, of whoever has opened them; NULL with errno. */
static struct listener *find_sockets(struct server *server, const struct wanted *wanted)
{
        const struct listening_early *early = &server->early;
        uint32_t count = sockets_of_each(server);
        struct listener *found = take_early(server, wanted);

        if (found == NULL)
                found = inherited_listeners(&server->inherited, wanted->endpoint, wanted->needs_proxy_header,
                                            count);
        if (found != NULL)
                return found;
        if (early->error != 0 && endpoint_equals(&early->failed, wanted->endpoint)) {
                errno = early->error;
                return NULL;
        }
        return listeners_bind(wanted->endpoint, wanted->needs_proxy_header, count);
}

void listening_bind_early(struct server *server, const struct snapshot *snapshot)
{
        struct listening_early early = {0};
        struct listener **end = &early.bound;

        for (size_t i = 0; i < wanted_count(snapshot) && early.error == 0; i++) {
                struct wanted wanted = wanted_at(snapshot, i);

                if (find_listener(early.bound, wanted.endpoint))
                        continue;
                *end = find_sockets(server, &wanted);
                if (*end == NULL) {
                        early.error = errno;
                        early.failed = *wanted.endpoint;
                }
                while (*end != NULL)
                        end = &(*end)->next;
        }
        server->early = early;
}

bool listening_bind(struct server *server, const struct snapshot *snapshot,
                    struct conf_complaints *complaints, struct listener **ret_bound)
{
        struct listener *bound = NULL, **end = &bound;

        sweep(&server->listeners);

        for (size_t i = 0; i < wanted_count(snapshot); i++) {
                struct wanted wanted = wanted_at(snapshot, i);

                if (find_listener(server->listeners, wanted.endpoint) ||
                    find_listener(bound, wanted.endpoint))
                        continue;
                await_departed(server, wanted.endpoint);
                *end = find_sockets(server, &wanted);
                if (*end == NULL) {
                        tell_failure(server, wanted.endpoint, wanted.endpoint->port, errno, complaints);
                        listeners_free(bound);
                        return false;
                }
                while (*end != NULL)
                        end = &(*end)->next;
        }
        *ret_bound = bound;
        return true;
}

bool listening_open(struct server *server, struct listener *bound, struct conf_complaints *complaints)
{
        const struct listener *failed = listeners_listen(bound);

        if (failed == NULL)
                return true;
        tell_failure(server, &failed->endpoint, failed->port, errno, complaints);
        return false;
}

/* To the one acceptor whose socket it is, or to all workers. */
static void order(struct server *server, enum accept_order_kind kind, struct listener *listener)
{
        if (server->acceptor_count > 0) {
                expect(acceptor_order(&server->acceptors[listener->number], kind, listener));
                return;
        }
        for (uint32_t i = 0; i < server->worker_count; i++)
                expect(self_accept_order(&server->self_accepts[i], kind, listener));
}

void listening_use(struct server *server, struct listener *opened)
{
        while (opened != NULL) {
                struct listener *next = opened->next;
                opened->next = server->listeners;
                server->listeners = opened;
                listener_set_users(opened, server->acceptor_count > 0 ? 1 : server->worker_count);
                order(server, ACCEPT_LISTEN, opened);
                say_listener(server, "listener_opened", opened);
                opened = next;
        }
        acceptors_await(server->acceptors, server->acceptor_count);
}

/* Of what we were started with, and cannot use. */
static void tell_unused(struct server *server, const char *name, const char *reason)
{
        console_warn("gatepost: warning: the inherited socket %s is not used: %s", name, reason);
        log_event(&server->log, "socket_unused", "socket", name, "reason", reason, NULL);
}

/* Before the listeners are looked for: one of these may be why a port is taken. */
static void tell_faulty(struct server *server)
{
        const struct inherited_list *list = &server->inherited;

        for (size_t i = 0; i < list->count; i++)
                if (list->sockets[i].fault != NULL)
                        tell_unused(server, list->sockets[i].name, list->sockets[i].fault);
        if (list->count_beyond > 0)
                tell_unused(server, "of a high number", "there are more than the program takes");
}

static void tell_unwanted(struct server *server, const struct snapshot *snapshot, struct listener *bound)
{
        const struct inherited_list *list = &server->inherited;
        const struct http_target *http = &snapshot->http;

        for (size_t i = 0; i < list->count; i++) {
                const struct inherited_socket *socket = &list->sockets[i];
                bool is_for_mail = socket->path[0] == '\0';
                bool is_for_pages =
                    http->kind != HTTP_NOWHERE && inherited_is_at(socket, &http->endpoint, http->path);
                if (socket->fault != NULL || is_for_pages ||
                    (is_for_mail && find_listener(bound, &socket->endpoint) != NULL))
                        continue;
                tell_unused(server, socket->name,
                            is_for_mail ? "neither `listen` nor `proxy_listen` names it; it ignores clients"
                                        : "`http.listen` does not name it");
                if (is_for_mail)
                        listening_socket_ignore_new(socket->fd);
        }
}

bool listening_prepare(struct server *server, const struct snapshot *snapshot, struct listener **ret_bound)
{
        tell_faulty(server);
        return listening_bind(server, snapshot, NULL, ret_bound);
}

/* Sockets of mail that a predecessor had, and this configuration has not. */
static struct listener *take_left(struct server *server)
{
        struct listener *left = NULL, *next;

        while ((next = inherited_next_left(&server->inherited)) != NULL) {
                next->next = left;
                left = next;
        }
        inherited_close(&server->inherited, true);
        return left;
}

bool listening_begin(struct server *server, const struct snapshot *snapshot, struct listener *bound)
{
        struct listener *left = take_left(server);

        if (!listening_open(server, bound, NULL) || !listening_open(server, left, NULL))
                return false;
        listeners_free(server->early.bound); /* of a file that has changed meanwhile */
        server->early = (struct listening_early){0};
        tell_unwanted(server, snapshot, bound);
        listening_use(server, bound);
        if (left != NULL) {
                listening_use(server, left);
                listening_drop(server, snapshot);
        }
        return true;
}

/* ---- leaving ------------------------------------------------------------------------------------------- */

/* Takes the listener out of its list. */
static void depart(struct server *server, struct listener **link, bool is_handed_back)
{
        struct listener *listener = *link;

        *link = listener->next;
        listener->next = server->departing;
        server->departing = listener;
        if (is_handed_back)
                listener_hand_back(listener);
        else
                listener_depart(listener, clock_monotonic_ms());
}

/* Closes what is no longer wanted, and tells the others whether they take PROXY headers now. */
void listening_drop(struct server *server, const struct snapshot *snapshot)
{
        for (struct listener **link = &server->listeners, *listener; (listener = *link) != NULL;) {
                bool is_wanted = false;
                for (size_t i = 0; i < wanted_count(snapshot) && !is_wanted; i++) {
                        struct wanted wanted = wanted_at(snapshot, i);
                        is_wanted = endpoint_equals(wanted.endpoint, &listener->endpoint);
                        if (is_wanted)
                                atomic_store(&listener->needs_proxy_header, wanted.needs_proxy_header);
                }
                if (is_wanted) {
                        link = &listener->next;
                        continue;
                }
                depart(server, link, false);
                order(server, ACCEPT_LOOK, listener);
                say_listener(server, "listener_closed", listener);
        }
        acceptors_await(server->acceptors, server->acceptor_count);
}

static bool some_are_used(const struct server *server)
{
        for (const struct listener *listener = server->departing; listener != NULL; listener = listener->next)
                if (atomic_load(&listener->is_handed_back) && !atomic_load(&listener->is_closed))
                        return true;
        return false;
}

bool listening_leave(struct server *server, uint64_t until_ms)
{
        while (server->listeners != NULL) {
                struct listener *listener = server->listeners;
                depart(server, &server->listeners, true);
                order(server, ACCEPT_LOOK, listener);
        }
        acceptors_await(server->acceptors, server->acceptor_count);
        while (some_are_used(server) && clock_monotonic_ms() < until_ms)
                nanosleep(&(struct timespec){.tv_nsec = DEPARTED_LOOK_MS * 1000000L}, NULL);
        return !some_are_used(server);
}

void listening_stop(struct server *server)
{
        inherited_hand_back(&server->inherited);
        while (server->listeners != NULL)
                depart(server, &server->listeners, server->listeners->is_inherited);
        for (uint32_t i = 0; i < server->acceptor_count; i++)
                expect(acceptor_order(&server->acceptors[i], ACCEPT_STOP, NULL));
        for (uint32_t i = 0; i < server->worker_count && server->acceptor_count == 0; i++)
                expect(self_accept_order(&server->self_accepts[i], ACCEPT_STOP, NULL));
        acceptors_await(server->acceptors, server->acceptor_count);
}
