/* DNS, threads, times, certificates and the configuration, and between them what is asked and handed on to. */
#include "workers/server/web/page/state.h"

#include "conf/value/list.h"
#include "workers/inbound/worker_load.h"
#include "workers/feed/keeper.h"
#include "workers/server/web/page/daemons.h"
#include "workers/server/web/page/hops.h"
#include "workers/server/web/page/html.h"
#include "workers/server/web/page/journal.h"
#include "workers/server/web/page/times.h"
#include "workers/tls/verify.h"

#include <stdlib.h>

#define CERTIFICATES_SHOWN 50

/* ---- DNS ----------------------------------------------------------------------------------------------- */

static void put_resolvers(const struct web_view *view, struct text *out)
{
        const struct resolver_watch *watch = &view->health->resolvers;
        char octets[64];
        struct text name;

        text_over(&name, octets, sizeof octets);
        text_put(out, SPAN("<p>"));
        if (watch->count == 0)
                text_put(out, SPAN("There are no resolvers: checks that need DNS are off."));
        for (size_t i = 0; i < watch->count; i++) {
                name.length = 0;
                endpoint_put(&name, &watch->resolvers[i].endpoint);
                html_put(out, text_span(&name));
                text_put_char(out, ' ');
                if (resolver_answers(&watch->resolvers[i], view->now_ms))
                        html_put_badge(out, "good", "answers");
                else
                        html_put_badge(out, "bad", "silent");
                text_put_char(out, ' ');
        }
        text_put(out, SPAN("</p>\n"));
}

static void put_question_rows(const struct web_view *view, struct text *out)
{
        static const struct {
                const char *name;
                size_t at;
        } rows[] = {
            {"Questions to resolvers", SAMPLE_AT(dns.questions)},
            {"Attempts", SAMPLE_AT(dns.attempts)},
            {"Without an answer in time", SAMPLE_AT(dns.timeouts)},
            {"Answers not to be believed", SAMPLE_AT(dns.bad)},
            {"Ended in failure", SAMPLE_AT(dns.failed)},
            {"Without a place", SAMPLE_AT(dns.overloaded)},
        };
        static const char *const columns[] = {"What", "#A second", "#Hour", NULL};
        const struct sample_ring *minute = &view->samples->minute;
        const struct sample *now = samples_back(minute, 0);

        html_begin_table(out, "Questions to DNS", columns);
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                text_put(out, SPAN("<tr>"));
                html_put_name_cell(out, span_from(rows[i].name));
                html_put_rate_cell(out, samples_rate(now, samples_oldest(minute), rows[i].at));
                html_put_number_cell(out, samples_growth_of_hour(view->samples, rows[i].at));
                text_put(out, SPAN("</tr>\n"));
        }
        html_end_table(out);
}

static void put_zone_growth(const struct web_view *view, const struct dnsbl_zone *zone, struct text *out)
{
        size_t offset = zone->count_index * sizeof(uint64_t);

        if (zone->options.names) {
                text_put(out, SPAN("<td class=\"number\">-</td><td class=\"number\">-</td><td></td>"));
                return;
        }
        uint64_t asked = samples_growth_of_hour(view->samples, SAMPLE_AT(counters.zone_asked) + offset);
        uint64_t listed = samples_growth_of_hour(view->samples, SAMPLE_AT(counters.zone_listed) + offset);
        html_put_number_cell(out, asked);
        html_put_number_cell(out, listed);
        html_put_bar_cell(out, asked == 0 ? 0 : (double)listed / (double)asked);
}

static void put_zone_state(const struct dnsbl_zone *zone, struct text *out)
{
        bool is_suspended = atomic_load(&zone->is_suspended);
        const struct feed_slot *slot = zone->feed != NULL ? feed_slot_of(zone) : NULL;

        if (slot != NULL && !feed_slot_serves(slot))
                html_put_badge(out, "bad", atomic_load(&slot->falls_back) ? "no list: asks DNS" : "no list");
        else
                html_put_badge(out, is_suspended ? "warn" : "good",
                               is_suspended ? "only observes" : "counts");
        if (slot == NULL || !feed_slot_serves(slot))
                return;
        text_put_char(out, ' ');
        html_put_count(out, atomic_load(&slot->entries));
        text_put(out, SPAN(" entries"));
        if (!atomic_load(&slot->has_failed))
                return;
        text_put_char(out, ' ');
        html_put_badge(out, "warn", "an older list: its files are not taken, the log says why");
}

static void put_zones(const struct web_view *view, struct text *out)
{
        static const char *const columns[] = {"Zone",          "Lists", "State", "#Asked, hour",
                                              "#Listed, hour", "Share", NULL};

        html_begin_table(out, "Zones", columns);
        for (size_t i = 0; i < view->snapshot->zone_count; i++) {
                const struct dnsbl_zone *zone = &view->snapshot->zones[i];
                text_put(out, SPAN("<tr>"));
                html_put_name_cell(out, zone->name);
                html_put_text_cell(out, zone->options.names ? SPAN("names") : SPAN("addresses"));
                text_put(out, SPAN("<td>"));
                put_zone_state(zone, out);
                text_put(out, SPAN("</td>"));
                put_zone_growth(view, zone, out);
                text_put(out, SPAN("</tr>\n"));
        }
        html_end_table(out);
        text_put(out,
                 SPAN("<p class=\"soft\">Asked and listed are clients; lists of names are not counted: see "
                      "rhsbl above.</p>\n"));
}

static void put_dns(const struct web_view *view, struct text *out)
{
        struct dns_cache_counts cache = {0};

        dns_cache_count(view->parts->dns_cache, &cache);
        html_begin_section(out, "dns", "DNS");
        put_resolvers(view, out);
        text_put(out, SPAN("<p class=\"soft\">The cache holds "));
        html_put_count(out, cache.entries);
        text_put(out, SPAN(" answers ("));
        html_put_octets(out, cache.octets);
        text_put(out, SPAN("), and has answered "));
        text_printf(out, "%.1f",
                    cache.hits + cache.misses == 0
                        ? 0.0
                        : 100.0 * (double)cache.hits / (double)(cache.hits + cache.misses));
        text_put(out, SPAN(" percent of all questions since the start.</p>\n"));
        put_question_rows(view, out);
        text_put(out, SPAN("<h3>Lists</h3>\n"));
        put_zones(view, out);
        html_end_section(out);
}

/* ---- threads ------------------------------------------------------------------------------------------- */

static void put_thread(const char *kind, uint32_t number, struct text *out)
{
        char octets[32];
        struct text name;

        text_over(&name, octets, sizeof octets);
        text_printf(&name, "%s-%u", kind, number);
        text_put(out, SPAN("<tr>"));
        html_put_name_cell(out, text_span(&name));
}

static void put_turning(const struct heartbeat *heartbeat, struct text *out)
{
        bool is_stalled = atomic_load_explicit(&heartbeat->is_stalled, memory_order_relaxed);

        text_put(out, SPAN("<td>"));
        html_put_badge(out, is_stalled ? "bad" : "good", is_stalled ? "stalled" : "turns");
        text_put(out, SPAN("</td>"));
}

static void put_share(uint64_t part, uint64_t all, struct text *out)
{
        html_put_number_cell(out, part);
        html_put_bar_cell(out, all == 0 ? 0 : (double)part / (double)all);
        text_put(out, SPAN("</tr>\n"));
}

static void put_workers(const struct web_parts *parts, uint64_t all, struct text *out)
{
        static const char *const columns[] = {"Thread", "State", "#Open", "#Given so far", "Share", NULL};

        html_begin_table(out, "Workers", columns);
        for (uint32_t i = 0; i < parts->worker_count; i++) {
                const struct worker *worker = &parts->workers[i];
                put_thread("worker", worker->number, out);
                put_turning(&worker->heartbeat, out);
                html_put_number_cell(out, worker_open(worker));
                put_share(worker_assigned(worker), all, out);
        }
        html_end_table(out);
}

static void put_acceptors(const struct web_parts *parts, uint64_t all, struct text *out)
{
        static const char *const columns[] = {"Thread", "#Handed to workers", "Share", NULL};

        if (parts->acceptor_count == 0) {
                text_put(out, SPAN("<p class=\"soft\">Workers accept for themselves.</p>\n"));
                return;
        }
        text_put(out, SPAN("<h3>Acceptors</h3>\n"));
        html_begin_table(out, "Acceptors", columns);
        for (uint32_t i = 0; i < parts->acceptor_count; i++) {
                put_thread("acceptor", i, out);
                put_share(workers_assigned_by(parts->workers, parts->worker_count, i), all, out);
        }
        html_end_table(out);
}

static void put_threads(const struct web_view *view, struct text *out)
{
        const struct web_parts *parts = view->parts;
        uint64_t all = 0;

        for (uint32_t i = 0; i < parts->worker_count; i++)
                all += worker_assigned(&parts->workers[i]);
        html_begin_section(out, "threads", "Workers and acceptors");
        put_workers(parts, all, out);
        put_acceptors(parts, all, out);
        html_end_section(out);
}

/* ---- certificates -------------------------------------------------------------------------------------- */

static int sooner_first(const void *left, const void *right)
{
        const struct tls_certificate *const *a = left, *const *b = right;
        return ((*a)->ends > (*b)->ends) - ((*a)->ends < (*b)->ends);
}

static void put_certificate(const struct tls_certificate *certificate, int64_t now_s, struct text *out)
{
        unsigned days = tls_certificate_days_left(certificate, (time_t)now_s);
        char octets[256];
        struct text names;

        text_over(&names, octets, sizeof octets);
        tls_certificate_put_names(certificate, &names);
        text_put(out, SPAN("<tr>"));
        html_put_name_cell(out, text_span(&names));
        html_put_text_cell(out, span_from(certificate->kind));
        html_put_number_cell(out, days);
        text_put(out, SPAN("<td>"));
        if (certificate->ends <= (time_t)now_s)
                html_put_badge(out, "bad", "expired");
        else if (days < TLS_WARNING_DAYS)
                html_put_badge(out, "warn", "expiring");
        else
                html_put_badge(out, "good", "valid");
        text_put(out, SPAN("</td><td>"));
        html_put_time(out, certificate->ends);
        text_put(out, SPAN("</td></tr>\n"));
}

static void put_certificates(const struct web_view *view, struct text *out)
{
        static const char *const columns[] = {"Names", "Key", "#Days left", "State", "Until", NULL};
        const struct tls_contexts *contexts = tls_contexts_of(view->published);
        size_t count = contexts == NULL ? 0 : tls_contexts_certificate_count(contexts);
        const struct tls_certificate **sorted = calloc(count + 1, sizeof(struct tls_certificate *));

        html_begin_section(out, "certificates", "Certificates");
        if (count == 0 || sorted == NULL) {
                text_put(out, SPAN("<p class=\"soft\">There are none: mail comes without TLS.</p>\n"));
        } else {
                for (size_t i = 0; i < count; i++)
                        sorted[i] = tls_contexts_certificate(contexts, i);
                qsort(sorted, count, sizeof(struct tls_certificate *), sooner_first);
                html_begin_table(out, "Certificates, the next to end first", columns);
                for (size_t i = 0; i < count && i < CERTIFICATES_SHOWN; i++)
                        put_certificate(sorted[i], view->now_s, out);
                html_end_table(out);
        }
        free(sorted);
        html_end_section(out);
}

/* ---- configuration ------------------------------------------------------------------------------------- */

static void put_lines(struct span lines, struct text *out)
{
        text_put(out, SPAN("<ul class=\"changes\">\n"));
        while (lines.length > 0) {
                size_t end = span_find(lines, '\n');
                size_t length = end == SIZE_MAX ? lines.length : end;
                text_put(out, SPAN("<li>"));
                html_put(out, span_of(lines.at, length));
                text_put(out, SPAN("</li>\n"));
                lines = span_skip(lines, end == SIZE_MAX ? length : length + 1);
        }
        text_put(out, SPAN("</ul>\n"));
}

static void put_reload(const struct web_news *news, struct text *out)
{
        text_put(out, SPAN("<p>"));
        html_put_badge(out, news->has_failed ? "bad" : "good",
                       news->has_failed ? "last reload failed" : "reloaded");
        text_put_char(out, ' ');
        html_put_time(out, news->reload_s);
        if (news->text[0] == '\0') {
                text_put(out, SPAN(": no option has changed.</p>\n"));
                return;
        }
        text_put_string(out, news->has_failed ? ", and changed nothing:</p>\n" : ", and changed:</p>\n");
        put_lines(span_from(news->text), out);
}

static void put_configuration(const struct web_view *view, struct text *out)
{
        const struct web_news *news = view->news;

        html_begin_section(out, "configuration", "Configuration");
        text_put(out, SPAN("<p>Generation "));
        html_put_count(out, news->generation);
        text_put(out, SPAN(", in force since "));
        html_put_time(out, news->in_force_s);
        text_put(out, SPAN(", for "));
        html_put_count(out, view->snapshot->domain_count);
        text_put_string(out, view->snapshot->domain_count == 1 ? " domain.</p>\n" : " domains.</p>\n");
        if (news->reload_s != 0)
                put_reload(news, out);
        html_end_section(out);
}

void page_write_state(const struct web_view *view, struct text *out)
{
        put_dns(view, out);
        page_write_times(view, out);
        page_write_filters(view, out);
        page_write_recipient_daemons(view, out);
        page_write_senders(view, out);
        page_write_hops(view, out);
        page_write_journal(view, out);
        put_threads(view, out);
        put_certificates(view, out);
        put_configuration(view, out);
}
