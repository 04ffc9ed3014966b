/* Threads, certificates, the configuration, the process. */
#include "workers/server/web/metrics_state.h"

#include "conf/value/list.h"
#include "workers/inbound/worker_load.h"
#include "workers/server/web/exposition.h"
#include "workers/tls/certificate.h"

#include <stdio.h>

#define CERTIFICATES_MAX 200 /* that are told one by one; certificate_days is of all */

static struct span number_text(uint64_t number, char octets[static 24])
{
        return span_of(octets, (size_t)snprintf(octets, 24, "%llu", (unsigned long long)number));
}

static void put_numbered(struct text *out, const char *family, const char *label, uint32_t number,
                         uint64_t value)
{
        char octets[24];
        exposition_number(out, family, LABEL(label, number_text(number, octets)), NULL, value);
}

static void put_one(struct text *out, const char *name, const char *help, uint64_t number)
{
        exposition_family(out, name, "gauge", help);
        exposition_number(out, name, NULL, NULL, number);
}

static void put_workers(const struct web_view *view, struct text *out)
{
        const struct web_parts *parts = view->parts;

        exposition_family(out, "worker_connections", "gauge",
                          "connections that are open, or on their way, at the worker");
        for (uint32_t i = 0; i < parts->worker_count; i++)
                put_numbered(out, "worker_connections", "worker", i, worker_open(&parts->workers[i]));
        exposition_family(out, "worker_connections_total", "counter",
                          "connections that the worker was given");
        for (uint32_t i = 0; i < parts->worker_count; i++)
                put_numbered(out, "worker_connections_total", "worker", i,
                             worker_assigned(&parts->workers[i]));
        exposition_family(out, "worker_stalled", "gauge",
                          "1 while the worker has not turned for two seconds");
        for (uint32_t i = 0; i < parts->worker_count; i++)
                put_numbered(
                    out, "worker_stalled", "worker", i,
                    atomic_load_explicit(&parts->workers[i].heartbeat.is_stalled, memory_order_relaxed));
        exposition_family(out, "acceptor_connections_total", "counter",
                          "connections that the acceptor has handed to workers");
        for (uint32_t i = 0; i < parts->acceptor_count; i++)
                put_numbered(out, "acceptor_connections_total", "acceptor", i,
                             workers_assigned_by(parts->workers, parts->worker_count, i));
        put_one(out, "connections_max", "connections that may be open at a time",
                load_sessions_max(&view->snapshot->options, parts->sessions_max));
}

static void put_certificates(const struct tls_contexts *contexts, struct text *out)
{
        size_t count = contexts == NULL ? 0 : tls_contexts_certificate_count(contexts);

        exposition_family(out, "certificate_not_after_timestamp_seconds", "gauge",
                          "when the certificate ends, since 1970");
        for (size_t i = 0; i < count && i < CERTIFICATES_MAX; i++) {
                const struct tls_certificate *certificate = tls_contexts_certificate(contexts, i);
                exposition_number(out, "certificate_not_after_timestamp_seconds",
                                  LABEL("path", span_from(certificate->path)),
                                  LABEL("kind", span_from(certificate->kind)),
                                  certificate->ends < 0 ? 0 : (uint64_t)certificate->ends);
        }
}

static void put_configuration(const struct web_news *news, const struct snapshot *snapshot, struct text *out)
{
        exposition_family(out, "configuration_info", "gauge", "always 1; the digest of that in force");
        exposition_number(out, "configuration_info", LABEL("digest", span_from(snapshot->digest)), NULL, 1);
        put_one(out, "configuration_generation",
                "how many configurations have been in force, this one among them", news->generation);
        put_one(out, "configuration_in_force_timestamp_seconds", "since when this one is, since 1970",
                (uint64_t)news->in_force_s);
        put_one(out, "last_reload_timestamp_seconds",
                "of the last reload, be it well or not, since 1970; 0: there was none",
                (uint64_t)news->reload_s);
        put_one(out, "last_reload_successful", "1 unless the last reload has failed", !news->has_failed);
        exposition_family(out, "reloads_total", "counter", "reloads of the configuration");
        exposition_number(out, "reloads_total", LABEL("outcome", SPAN("succeeded")), NULL, news->reloads);
        exposition_number(out, "reloads_total", LABEL("outcome", SPAN("failed")), NULL, news->failed_reloads);
}

static void put_health(const struct web_view *view, struct text *out)
{
        const struct resolver_watch *resolvers = &view->health->resolvers;
        char octets[64];
        struct text text;

        text_over(&text, octets, sizeof octets);
        put_one(out, "healthy", "1 while /health is 200", health_is_well(view->health));
        put_one(out, "ready", "1 while /ready is 200",
                readiness_is_well(view->health) && view->leaving == NULL);
        exposition_family(out, "resolver_answers", "gauge", "1 where the resolver has answered lately");
        for (size_t i = 0; i < resolvers->count; i++) {
                text.length = 0;
                endpoint_put(&text, &resolvers->resolvers[i].endpoint);
                exposition_number(out, "resolver_answers", LABEL("resolver", text_span(&text)), NULL,
                                  resolver_answers(&resolvers->resolvers[i], view->now_ms));
        }
}

/* The label is not `instance`, which Prometheus gives to whom it asks. */
static void put_senders(const struct web_view *view, struct text *out)
{
        static const struct {
                const char *name, *type, *help;
        } families[] = {
            {"sender_redis_reachable", "gauge", "1 while this Redis of sender_store answers in time"},
            {"sender_redis_server_changes_total", "counter",
             "times that another server of this Redis began to serve"},
            {"sender_redis_failures_total", "counter", "connections to this Redis that have failed"},
            {"sender_redis_server_info", "gauge", "always 1; the server that serves, or has served last"},
        };
        struct sender_board_row rows[SENDER_SHARES_MAX];
        size_t count = sender_board_read(view->parts->senders, rows);

        for (size_t family = 0; family < sizeof families / sizeof *families && count > 0; family++) {
                const char *name = families[family].name;
                exposition_family(out, name, families[family].type, families[family].help);
                for (size_t i = 0; i < count; i++) {
                        const uint64_t numbers[] = {rows[i].is_reachable, rows[i].servers_changed,
                                                    rows[i].failures, 1};
                        bool is_info = family == sizeof families / sizeof *families - 1;
                        exposition_number(out, name, LABEL("redis", span_from(rows[i].name)),
                                          is_info ? LABEL("server", span_from(rows[i].server)) : NULL,
                                          numbers[family]);
                }
        }
}

void metrics_write_state(const struct web_view *view, struct text *out)
{
        put_workers(view, out);
        put_certificates(tls_contexts_of(view->published), out);
        put_configuration(view->news, view->snapshot, out);
        put_health(view, out);
        put_senders(view, out);
        put_one(out, "memory_max", "octets of memory that clients may make the server hold",
                atomic_load_explicit(&view->parts->budget->max, memory_order_relaxed));
        put_one(out, "start_timestamp_seconds", "when the server has started, since 1970",
                (uint64_t)view->start_s);
        exposition_family(out, "build_info", "gauge", "always 1; the label is of interest");
        exposition_number(out, "build_info", LABEL("version", SPAN(VERSION)), NULL, 1);
}
