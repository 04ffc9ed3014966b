/* The door's life, and the table of what is answered where. */
#include "workers/server/web/web.h"

#include "dns/clock.h"
#include "workers/log/console.h"
#include "workers/server/web/metrics.h"
#include "workers/server/web/page/page.h"
#include "workers/server/web/page/style.h"
#include "workers/server/web/policy.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

/* ---- pages --------------------------------------------------------------------------------------------- */

static enum http_status write_health(void *context, const struct http_request *request, struct text *out)
{
        struct web *web = context;

        (void)request;
        return health_write(&web->health, out) ? HTTP_OK : HTTP_UNAVAILABLE;
}

/* Why the server is not ready, however well it is; NULL: it is. */
static const char *leaving(struct web *web)
{
        if (atomic_load(&web->is_stopping))
                return "stopping";
        return load_draining(web->parts.load) == DRAINING_NOT ? NULL : "draining";
}

static enum http_status write_readiness(void *context, const struct http_request *request, struct text *out)
{
        struct web *web = context;

        (void)request;
        return readiness_write(&web->health, leaving(web), out) ? HTTP_OK : HTTP_UNAVAILABLE;
}

/* The snapshot stays pinned meanwhile. */
static void show(struct web *web, void (*write)(const struct web_view *view, struct text *out),
                 struct text *out)
{
        struct published *published = publication_pin(web->parts.publication, web->parts.pinner);
        struct web_news news = web_board_read(&web->board);
        const struct web_view view = {
            .parts = &web->parts,
            .published = published,
            .snapshot = published->snapshot,
            .health = &web->health,
            .samples = &web->samples,
            .refused = &web->refused,
            .news = &news,
            .start_s = web->start_s,
            .now_s = (int64_t)time(NULL),
            .now_ms = clock_monotonic_ms(),
            .leaving = leaving(web),
        };

        write(&view, out);
        publication_unpin(published, web->parts.pinner);
}

static enum http_status write_metrics(void *context, const struct http_request *request, struct text *out)
{
        (void)request;
        show(context, metrics_write, out);
        return HTTP_OK;
}

static enum http_status write_page(void *context, const struct http_request *request, struct text *out)
{
        (void)request;
        show(context, page_write, out);
        return HTTP_OK;
}

static enum http_status write_policy(void *context, const struct http_request *request, struct text *out)
{
        struct web *web = context;
        struct published *published = publication_pin(web->parts.publication, web->parts.pinner);
        enum http_status status =
            policy_write(published->snapshot, span_skip(request->path, strlen(POLICY_PATH)),
                         http_request_header(request, "Accept-Language"), out);

        publication_unpin(published, web->parts.pinner);
        return status;
}

static enum http_status write_refusal(void *context, const struct http_request *request, struct text *out)
{
        struct web *web = context;
        struct published *published = publication_pin(web->parts.publication, web->parts.pinner);
        const struct rate *rate = &published->snapshot->options.http_lookups;
        struct address client = http_request_client(request);
        const struct policy_question question = {
            .snapshot = published->snapshot,
            .rest = request->rest,
            .accepted = http_request_header(request, "Accept-Language"),
            .is_over = http_limit_is_over(&web->lookups, rate, &client, clock_monotonic_ms()),
        };
        enum http_status status = policy_refusal_answer(&question, &web->seen, out);

        publication_unpin(published, web->parts.pinner);
        return status;
}

/* Written before the thread starts. */
static char page_security[STYLE_SECURITY_MAX], policy_security[POLICY_STYLE_SOURCE_SIZE];

#define HTML "text/html; charset=utf-8"

static const struct http_route routes[] = {
    {.path = "/", .type = HTML, .security = page_security, .write = write_page},
    {.path = POLICY_PATH, .type = HTML, .security = policy_security, .write = write_policy},
    {.path = POLICY_PATH "/", .type = HTML, .security = policy_security, .write = write_policy},
    {.path = POLICY_PATH "/en", .type = HTML, .security = policy_security, .write = write_policy},
    {.path = POLICY_PATH "/de", .type = HTML, .security = policy_security, .write = write_policy},
    {.path = POLICY_PATH "/",
     .is_prefix = true,
     .is_unlisted = true,
     .type = HTML,
     .security = policy_security,
     .write = write_refusal},
    {.path = "/metrics", .type = "text/plain; version=0.0.4; charset=utf-8", .write = write_metrics},
    {.path = "/health", .type = "application/json", .write = write_health},
    {.path = "/ready", .type = "application/json", .write = write_readiness},
    {0},
};

/* ---- once a second ------------------------------------------------------------------------------------- */

static void look_at_refused(struct web *web, const struct options *options, uint64_t now_ms)
{
        const struct web_parts *parts = &web->parts;
        const struct refused_prefixes prefixes = {
            .ipv4 = (uint8_t)(96 + options->client_rate_prefix4), /* as in struct network */
            .ipv6 = (uint8_t)options->client_rate_prefix6,
        };

        for (uint32_t i = 0; i < parts->worker_count; i++)
                refused_take(&web->refused, i, &parts->workers[i].host.refused, prefixes);
        for (uint32_t i = 0; i < parts->acceptor_count; i++)
                refused_take(&web->refused, parts->worker_count + i, &parts->acceptors[i].host.refused,
                             prefixes);
        refused_fade(&web->refused, now_ms);
}

static void look(void *context, uint64_t now_ms)
{
        struct web *web = context;
        const struct web_parts *parts = &web->parts;
        struct published *published = publication_pin(parts->publication, parts->pinner);
        const struct options *options = &published->snapshot->options;
        const struct health_parts health = {
            .overseer = parts->overseer,
            .workers = parts->workers,
            .worker_count = parts->worker_count,
            .resolvers = &options->resolvers,
        };

        health_look(&web->health, &health, now_ms);
        samples_look(&web->samples, parts->counters, parts->dns_pool, now_ms);
        look_at_refused(web, options, now_ms);
        publication_unpin(published, parts->pinner);
}

/* ---- before clients are served ------------------------------------------------------------------------- */

static void tell_if_unreadable(struct web *web, const char *path)
{
        int error = web->seen.tail.error;

        if (error != 0 && error != web->seen_error)
                log_event(web->parts.log, "log_unreadable", "path", path, "reason", strerrordesc_np(error),
                          NULL);
        web->seen_error = error;
}

/* So that whoever asks about a refusal is told what the log has by now. */
static bool work(void *context)
{
        struct web *web = context;
        struct published *published = publication_pin(web->parts.publication, web->parts.pinner);
        const struct options *options = &published->snapshot->options;
        bool has_more = seen_log_turn(&web->seen, options->log, options->http_reject_ids);

        tell_if_unreadable(web, options->log);
        publication_unpin(published, web->parts.pinner);
        return has_more;
}

/* ---- sockets ------------------------------------------------------------------------------------------- */

/* False with errno, if it is there neither by inheritance nor to be bound. */
static bool find_socket(const struct http_target *target, struct inherited_list *inherited,
                        struct http_socket *ret_socket)
{
        bool is_ours;
        int fd = inherited_descriptor(inherited, &target->endpoint, target->path, &is_ours);

        if (fd < 0)
                return http_socket_bind(target, ret_socket);
        http_socket_adopt(target, fd, !is_ours, ret_socket);
        return true;
}

void web_bind_early(struct web *web, const struct snapshot *snapshot, struct inherited_list *inherited)
{
        web->early = (struct http_socket){.fd = -1};
        if (snapshot->http.kind == HTTP_AT_ADDRESS && !find_socket(&snapshot->http, inherited, &web->early))
                web->early_error = errno;
}

/* What was bound early is used, or closed, because the file has changed meanwhile. */
static bool take_socket(struct web *web, const struct http_target *target, struct inherited_list *inherited,
                        const char *name, struct http_socket *ret_socket)
{
        struct http_socket early = web->early;

        web->early.fd = -1;
        if (early.fd >= 0 && strcmp(early.name, name) == 0) {
                *ret_socket = early;
                return true;
        }
        http_socket_close(&early);
        if (web->early_error == 0 || strcmp(early.name, name) != 0)
                return find_socket(target, inherited, ret_socket);
        errno = web->early_error;
        return false;
}

bool web_prepare(struct web *web, const struct snapshot *snapshot, struct inherited_list *inherited,
                 struct web_change *ret_change)
{
        struct http_socket socket;

        *ret_change = (struct web_change){0};
        if (snapshot->http.kind != HTTP_NOWHERE)
                http_target_write(&snapshot->http, ret_change->name);
        ret_change->is_needed = strcmp(ret_change->name, web->name) != 0;
        if (!ret_change->is_needed || ret_change->name[0] == '\0')
                return true;
        if (!take_socket(web, &snapshot->http, inherited, ret_change->name, &socket))
                return false;
        if (!http_socket_listen(&socket)) {
                int error = errno;
                http_socket_close(&socket);
                errno = error;
                return false;
        }
        ret_change->door = http_door_open(&socket, routes, web);
        errno = ret_change->door == NULL ? ENOMEM : 0;
        return ret_change->door != NULL;
}

void web_let_be(struct web_change *change)
{
        http_door_close(change->door);
        change->door = NULL;
}

void web_change(struct web *web, struct web_change *change)
{
        if (!change->is_needed)
                return;
        if (web->name[0] != '\0')
                log_event(web->parts.log, "http_closed", "address", web->name, NULL);
        if (change->name[0] != '\0') {
                log_event(web->parts.log, "http_opened", "address", change->name, NULL);
                console_print("gatepost: pages and counters on %s%s%s",
                              change->door->socket.has_file ? "" : "http://", change->name,
                              change->door->socket.has_file ? "" : "/");
        }
        memcpy(web->name, change->name, sizeof web->name);
        web->door = change->door;
        http_server_use(&web->http, change->door);
}

/* ---- to another process -------------------------------------------------------------------------------- */

bool web_offer(const struct web *web, const struct http_target *target, struct inherited_list *list)
{
        return web->door == NULL || web->door->socket.is_inherited ||
               inherited_offer(list, &target->endpoint, target->path, web->door->socket.fd);
}

/* The thread looks at the file only when it closes the door, and that is told it behind this. */
void web_leave(struct web *web)
{
        struct web_change nothing = {.is_needed = web->door != NULL};

        if (web->door != NULL)
                web->door->socket.has_file = false;
        web_change(web, &nothing);
}

/* ---- life ---------------------------------------------------------------------------------------------- */

bool web_start(struct web *web, const struct web_parts *parts)
{
        web->parts = *parts;
        style_security_write(page_security);
        policy_style_source_write(policy_security);
        web->start_s = (int64_t)time(NULL);
        web_board_init(&web->board, web->start_s);
        samples_init(&web->samples);
        return http_limit_init(&web->lookups) && http_server_start(&web->http, look, work, web);
}

bool web_begin(struct web *web, const struct snapshot *snapshot, struct inherited_list *inherited,
               struct web_change *ret_change)
{
        if (web_prepare(web, snapshot, inherited, ret_change))
                return true;
        console_fail("gatepost: cannot listen on %s: %s", ret_change->name, strerror(errno));
        log_event(web->parts.log, "listen_failed", "address", ret_change->name, "reason", strerror(errno),
                  NULL);
        return false;
}

void web_note_reload(struct web *web, bool has_failed, const char *text)
{
        web_board_note(&web->board, has_failed, text, (int64_t)time(NULL));
}

void web_note_stop(struct web *web)
{
        atomic_store(&web->is_stopping, true);
}

bool web_stop(struct web *web, uint64_t until_ms)
{
        return http_server_stop(&web->http, until_ms);
}

void web_end(struct web *web)
{
        http_server_end(&web->http);
        health_end(&web->health);
        seen_log_end(&web->seen);
        http_limit_end(&web->lookups);
}
