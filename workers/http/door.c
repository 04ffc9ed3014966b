/* What libmicrohttpd is told, and the answers that it gets. */
#include "workers/http/door.h"

#include "dns/clock.h"

#include <fcntl.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAMES "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

_Static_assert((int)HTTP_OK == MHD_HTTP_OK && (int)HTTP_UNAVAILABLE == MHD_HTTP_SERVICE_UNAVAILABLE,
               "codes of RFC 9110");

/* ---- answers ------------------------------------------------------------------------------------------- */

static bool add(struct MHD_Response *response, const char *name, const char *value)
{
        return MHD_add_response_header(response, name, value) == MHD_YES;
}

/* What holds for all answers. What they show changes all the time, and is nobody else's to keep. */
static bool add_headers(struct MHD_Response *response, const struct http_route *route,
                        enum http_status status)
{
        char security[512];
        bool has_more = route != NULL && route->security != NULL;

        snprintf(security, sizeof security, "%s%s%s", FRAMES, has_more ? "; " : "",
                 has_more ? route->security : "");
        return add(response, "Content-Type", route == NULL ? "text/plain; charset=utf-8" : route->type) &&
               add(response, "Content-Security-Policy", security) &&
               add(response, "X-Content-Type-Options", "nosniff") &&
               add(response, "Referrer-Policy", "no-referrer") && add(response, "X-Frame-Options", "DENY") &&
               add(response, "Cross-Origin-Resource-Policy", "same-origin") &&
               add(response, "Cache-Control", "no-store") && add(response, "Connection", "close") &&
               (route == NULL || !route->is_unlisted || add(response, "X-Robots-Tag", "noindex")) &&
               (status != HTTP_TOO_MANY_REQUESTS || add(response, "Retry-After", "60")) &&
               (status != HTTP_METHOD_NOT_ALLOWED || add(response, "Allow", "GET, HEAD"));
}

/* `route`: NULL for what is no page. */
static enum MHD_Result answer(struct MHD_Connection *connection, const struct http_route *route,
                              enum http_status status, struct span body)
{
        struct MHD_Response *response =
            MHD_create_response_from_buffer(body.length, (void *)(uintptr_t)body.at, MHD_RESPMEM_MUST_COPY);

        if (response == NULL)
                return MHD_NO;
        enum MHD_Result result = add_headers(response, route, status)
                                     ? MHD_queue_response(connection, (unsigned)status, response)
                                     : MHD_NO;
        MHD_destroy_response(response);
        return result;
}

static enum MHD_Result answer_nothing(struct MHD_Connection *connection)
{
        return answer(connection, NULL, HTTP_NOT_FOUND, SPAN("There is nothing here.\n"));
}

static enum MHD_Result answer_page(struct http_door *door, const struct http_route *route,
                                   const struct http_request *request)
{
        struct text page;

        text_over(&page, door->page, HTTP_PAGE_MAX);
        enum http_status status = route->write(door->context, request, &page);
        if (status == HTTP_NOT_FOUND && page.length == 0)
                return answer_nothing(request->connection);
        if (page.overflowed)
                return answer(request->connection, NULL, HTTP_INTERNAL_ERROR,
                              SPAN("The page is too long.\n"));
        return answer(request->connection, route, status, text_span(&page));
}

/* An answer at the first call: the body of a request, if there is one, is not waited for. */
static enum MHD_Result take_request(void *context, struct MHD_Connection *connection, const char *path,
                                    const char *method, const char *version, const char *body,
                                    size_t *body_length, void **memory)
{
        struct http_door *door = context;

        (void)version, (void)body, (void)body_length, (void)memory;
        if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
                return answer(connection, NULL, HTTP_METHOD_NOT_ALLOWED, SPAN("Only GET and HEAD.\n"));
        const struct http_route *route = http_route_find(door->routes, path);
        if (route == NULL)
                return answer_nothing(connection);
        const struct http_request request = {
            .connection = connection,
            .path = span_from(path),
            .rest = span_from(path + (route->is_prefix ? strlen(route->path) : strlen(path))),
        };
        return answer_page(door, route, &request);
}

/* ---- clients ------------------------------------------------------------------------------------------- */

static void begin_client(struct http_door *door, struct MHD_Connection *connection, void **memory)
{
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

        *memory = NULL;
        for (struct http_client *client = door->clients; client < door->clients + HTTP_CONNECTIONS_MAX;
             client++)
                if (client->fd < 0) {
                        *client =
                            (struct http_client){.fd = info->connect_fd, .begun_ms = clock_monotonic_ms()};
                        *memory = client;
                        return;
                }
}

static void note_client(void *context, struct MHD_Connection *connection, void **memory,
                        enum MHD_ConnectionNotificationCode event)
{
        struct http_client *client = *memory;

        if (event == MHD_CONNECTION_NOTIFY_STARTED)
                begin_client(context, connection, memory);
        else if (client != NULL)
                client->fd = -1;
}

/* Who sends or takes an octet now and then never falls silent, so the library's own limit never ends it. */
void http_door_look(struct http_door *door, uint64_t now_ms)
{
        for (struct http_client *client = door->clients; client < door->clients + HTTP_CONNECTIONS_MAX;
             client++)
                if (client->fd >= 0 && now_ms >= client->begun_ms + HTTP_DEADLINE_MS)
                        shutdown(client->fd, SHUT_RDWR);
}

/* No path of ours needs escapes, and one that ends in %00 would be cut to another. */
static size_t leave_escapes(void *context, struct MHD_Connection *connection, char *text)
{
        (void)context, (void)connection;
        return strlen(text);
}

/* ---- life ---------------------------------------------------------------------------------------------- */

/* The library closes the descriptor that it is given: it gets one of its own. */
static struct MHD_Daemon *start(struct http_door *door)
{
        int fd = fcntl(door->socket.fd, F_DUPFD_CLOEXEC, 0);
        struct MHD_Daemon *daemon;

        if (fd < 0)
                return NULL;
        daemon = MHD_start_daemon(
            MHD_USE_EPOLL, 0, NULL, NULL, take_request, door, MHD_OPTION_LISTEN_SOCKET, fd,
            MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
            (unsigned)(HTTP_DEADLINE_MS / 1000), MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_REQUEST_MAX,
            MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_UNESCAPE_CALLBACK, leave_escapes, NULL,
            MHD_OPTION_NOTIFY_CONNECTION, note_client, door, MHD_OPTION_END);
        if (daemon == NULL)
                close(fd);
        return daemon;
}

struct http_door *http_door_open(const struct http_socket *socket, const struct http_route *routes,
                                 void *context)
{
        struct http_door *door = malloc(sizeof *door);
        struct http_socket own = *socket;

        if (door == NULL) {
                http_socket_close(&own);
                return NULL;
        }
        *door = (struct http_door){
            .socket = own, .routes = routes, .context = context, .page = malloc(HTTP_PAGE_MAX)};
        for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
                door->clients[i].fd = -1;
        door->daemon = door->page == NULL ? NULL : start(door);
        if (door->daemon == NULL) {
                http_door_close(door);
                return NULL;
        }
        door->epoll_fd = MHD_get_daemon_info(door->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
        return door;
}

void http_door_serve(struct http_door *door)
{
        MHD_run(door->daemon);
}

uint64_t http_door_pause_ms(const struct http_door *door, uint64_t longest_ms)
{
        MHD_UNSIGNED_LONG_LONG pause_ms;

        return MHD_get_timeout(door->daemon, &pause_ms) == MHD_YES && pause_ms < longest_ms ? pause_ms
                                                                                            : longest_ms;
}

static bool has_clients(const struct http_door *door)
{
        for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
                if (door->clients[i].fd >= 0)
                        return true;
        return false;
}

/* Whoever comes now waits in the queue of the socket, for another process perhaps. */
static void answer_last(struct http_door *door)
{
        uint64_t until_ms = clock_monotonic_ms() + HTTP_FAREWELL_MS, now_ms;
        MHD_socket fd = MHD_quiesce_daemon(door->daemon);

        while (fd != MHD_INVALID_SOCKET && has_clients(door) && (now_ms = clock_monotonic_ms()) < until_ms) {
                struct pollfd event = {.fd = door->epoll_fd, .events = POLLIN};
                poll(&event, 1, (int)http_door_pause_ms(door, until_ms - now_ms));
                MHD_run(door->daemon);
        }
        if (fd != MHD_INVALID_SOCKET)
                close(fd);
}

void http_door_close(struct http_door *door)
{
        if (door == NULL)
                return;
        if (door->daemon != NULL) {
                answer_last(door);
                MHD_stop_daemon(door->daemon);
        }
        http_socket_close(&door->socket);
        free(door->page);
        free(door);
}
