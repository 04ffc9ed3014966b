/* Rates, checks and networks. */
#include "workers/server/web/page/mail.h"

#include "workers/server/web/page/growth.h"
#include "workers/server/web/page/html.h"

#include <stdlib.h>

#define NETWORKS_SHOWN 15
#define HOUR_LINE_MIN  2 /* minutes that make a line */

/* ---- traffic ------------------------------------------------------------------------------------------- */

/* A number a minute, over the hour. */
static void put_hour_line(const struct samples *samples, size_t at, struct text *out)
{
        const struct sample_ring *hour = &samples->hour;
        size_t intervals = hour->count - 1;
        double values[HTML_LINE_MAX];

        for (size_t i = 0; i < intervals; i++) {
                size_t back = intervals - 1 - i;
                values[i] =
                    (double)samples_growth(samples_back(hour, back), samples_back(hour, back + 1), at);
        }
        text_put(out, SPAN("<td>"));
        html_put_line(out, values, intervals, "a minute, over the last hour");
        text_put(out, SPAN("</td>"));
}

static void put_traffic(const struct web_view *view, struct text *out)
{
        bool has_lines = view->samples->hour.count > HOUR_LINE_MIN;
        const char *const columns[] = {
            "What", "#Minute", "#Hour", "#Since the start", has_lines ? "The hour" : NULL, NULL};
        static const struct {
                const char *name;
                size_t at;
        } rows[] = {
            {"Sessions", SAMPLE_AT(counters.metrics[METRIC_sessions])},
            {"Sessions with TLS", SAMPLE_AT(counters.metrics[METRIC_tls_sessions])},
            {"Handshakes failed", SAMPLE_AT(counters.metrics[METRIC_tls_failed])},
            {"Refused at accept for their rate", SAMPLE_AT(counters.metrics[METRIC_connections_refused])},
            {"Refused under load", SAMPLE_AT(counters.metrics[METRIC_clients_unserved])},
            {"Refused at accept as listed", SAMPLE_AT(counters.metrics[METRIC_clients_listed])},
            {"Messages stored", SAMPLE_AT(counters.metrics[METRIC_messages_accepted])},
            {"Messages refused", SAMPLE_AT(counters.metrics[METRIC_messages_refused])},
            {"Messages deferred", SAMPLE_AT(counters.metrics[METRIC_messages_deferred])},
            {"Recipients accepted", SAMPLE_AT(counters.metrics[METRIC_recipients_accepted])},
            {"Recipients refused", SAMPLE_AT(counters.metrics[METRIC_recipients_refused])},
            {"Recipients deferred", SAMPLE_AT(counters.metrics[METRIC_recipients_deferred])},
        };

        html_begin_section(out, "traffic", "Traffic");
        html_begin_table(out, "Sessions, messages and recipients", columns);
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                struct growth growth = growth_of(view->samples, rows[i].at);
                text_put(out, SPAN("<tr>"));
                html_put_name_cell(out, span_from(rows[i].name));
                growth_put_cells(out, &growth);
                if (has_lines)
                        put_hour_line(view->samples, rows[i].at, out);
                text_put(out, SPAN("</tr>\n"));
        }
        html_end_table(out);
        html_end_section(out);
}

/* ---- checks -------------------------------------------------------------------------------------------- */

struct check_row {
        enum check_id check;
        struct growth refused, deferred, observed;
};

static int busier_first(const void *left, const void *right)
{
        const struct check_row *a = left, *b = right;

        if (a->refused.hour != b->refused.hour)
                return a->refused.hour < b->refused.hour ? 1 : -1;
        if (a->refused.start != b->refused.start)
                return a->refused.start < b->refused.start ? 1 : -1;
        return (int)a->check - (int)b->check;
}

static void put_mode(const struct snapshot *snapshot, enum check_id check, struct text *out)
{
        enum check_mode mode = snapshot->checks[check].mode;
        bool is_rule = check_infos[check].kind == CHECK_KIND_RULE;

        text_put(out, SPAN("<td>"));
        if (is_rule)
                html_put_badge(out, "off", "rule");
        else if (mode == CHECK_MODE_OFF && snapshot->check_is_wanted[check])
                html_put_badge(out, "off", "by domain");
        else
                html_put_badge(out,
                               mode == CHECK_MODE_ENFORCE   ? "good"
                               : mode == CHECK_MODE_OBSERVE ? "warn"
                                                            : "off",
                               check_mode_name(mode));
        text_put(out, SPAN("</td>"));
}

static void put_check(const struct web_view *view, const struct check_row *row, uint64_t most,
                      struct text *out)
{
        text_put(out, SPAN("<tr>"));
        html_put_name_cell(out, span_from(check_infos[row->check].name));
        put_mode(view->snapshot, row->check, out);
        growth_put_cells(out, &row->refused);
        html_put_bar_cell(out, most == 0 ? 0 : (double)row->refused.hour / (double)most);
        html_put_number_cell(out, row->deferred.hour);
        html_put_number_cell(out, row->observed.hour);
        text_put(out, SPAN("</tr>\n"));
}

static void put_checks(const struct web_view *view, struct text *out)
{
        static const char *const columns[] = {"Check",
                                              "Mode",
                                              "#Minute",
                                              "#Hour",
                                              "#Since the start",
                                              "Of the hour's most",
                                              "#Deferred, hour",
                                              "#Observed, hour",
                                              NULL};
        struct check_row rows[CHECK_COUNT];

        for (enum check_id check = 0; check < CHECK_COUNT; check++)
                rows[check] = (struct check_row){
                    .check = check,
                    .refused =
                        growth_of(view->samples, SAMPLE_AT(counters.refused) + check * sizeof(uint64_t)),
                    .deferred =
                        growth_of(view->samples, SAMPLE_AT(counters.deferred) + check * sizeof(uint64_t)),
                    .observed =
                        growth_of(view->samples, SAMPLE_AT(counters.observed) + check * sizeof(uint64_t)),
                };
        qsort(rows, CHECK_COUNT, sizeof rows[0], busier_first);
        html_begin_section(out, "checks", "Refusals by check");
        html_begin_table(out, "Checks", columns);
        for (size_t i = 0; i < CHECK_COUNT; i++)
                put_check(view, &rows[i], rows[0].refused.hour, out);
        html_end_table(out);
        text_put(
            out,
            SPAN(
                "<p class=\"soft\">Modes are those outside of domains; \"by domain\" is off there, and on in "
                "some. Observed is what would have been refused or deferred, and was not.</p>\n"));
        html_end_section(out);
}

/* ---- what checks cost ----------------------------------------------------------------------------------- */

/* A number for each of `count`, with two decimals where it is small. */
static void put_ratio_cell(struct text *out, uint64_t sum, uint64_t count)
{
        html_put_rate_cell(out, count == 0 ? 0 : (double)sum / (double)count);
}

static void put_cost(const struct counters *now, enum check_id check, struct text *out)
{
        const struct check_cost *cost = &now->costs.of[check];
        uint64_t sessions = counter_read(&now->metrics[METRIC_sessions]),
                 measured = counter_read(&now->metrics[METRIC_sessions_measured]),
                 others = sessions > measured ? sessions - measured : 0,
                 against = counter_read(&cost->against), alone = counter_read(&cost->alone);

        text_put(out, SPAN("<tr>"));
        html_put_name_cell(out, span_from(check_infos[check].name));
        put_ratio_cell(out, counter_read(&cost->busy_ns) / 1000, measured);
        put_ratio_cell(out, counter_read(&cost->questions), sessions);
        put_ratio_cell(out, counter_read(&cost->waited_ms), others);
        put_ratio_cell(out, counter_read(&cost->alone_ms), others);
        html_put_number_cell(out, against);
        html_put_number_cell(out, alone);
        html_put_bar_cell(out, against == 0 ? 0 : (double)alone / (double)against);
        text_put(out, SPAN("</tr>\n"));
}

static bool costs_anything(const struct check_cost *cost)
{
        return counter_read(&cost->busy_ns) + counter_read(&cost->questions) + counter_read(&cost->against) >
               0;
}

static void put_costs(const struct web_view *view, struct text *out)
{
        static const char *const columns[] = {
            "Check",    "#µs of a session", "#Questions", "#ms waited", "#ms waited alone",
            "#Against", "#Alone",           "Alone",      NULL};
        struct counters now;

        counters_sum(view->parts->counters, &now);
        html_begin_section(out, "costs", "Cost and yield of checks");
        html_begin_table(out, "Costs", columns);
        for (enum check_id check = 0; check < CHECK_COUNT; check++)
                if (costs_anything(&now.costs.of[check]))
                        put_cost(&now, check, out);
        html_end_table(out);
        text_put(
            out,
            SPAN("<p class=\"soft\">Since the start, of a session on average; time of a processor, "
                 "against and alone come of the sessions that are measured (measure_every), waits of the "
                 "others. Against: "
                 "it refuses or defers, or would. Alone: no other check that is enforced does. Which "
                 "checks go together is told by <code>gatepost checks --cost</code>.</p>\n"));
        html_end_section(out);
}

/* ---- who is refused -------------------------------------------------------------------------------------- */

static void put_networks(const struct refused_network *const *networks, size_t count, struct text *out)
{
        static const char *const columns[] = {"Network", "#Refused, about", "Of the most", NULL};
        char octets[64];
        struct text name;

        text_over(&name, octets, sizeof octets);
        html_begin_table(out, "Networks refused most", columns);
        for (size_t i = 0; i < count; i++) {
                name.length = 0;
                network_write(&name, &networks[i]->network);
                text_put(out, SPAN("<tr>"));
                html_put_name_cell(out, text_span(&name));
                html_put_number_cell(out, (uint64_t)(networks[i]->count + 0.5));
                html_put_bar_cell(out, networks[i]->count / networks[0]->count);
                text_put(out, SPAN("</tr>\n"));
        }
        html_end_table(out);
}

struct zone_row {
        struct span name;
        uint64_t listed;
};

static int lists_more_first(const void *left, const void *right)
{
        const struct zone_row *a = left, *b = right;

        return (a->listed < b->listed) - (a->listed > b->listed);
}

/* Those that list nobody are left out. Returns how many there are. */
static size_t busy_zones(const struct web_view *view, struct zone_row ret_rows[static DNSBL_ZONES_MAX])
{
        size_t count = 0;

        for (size_t i = 0; i < view->snapshot->zone_count; i++) {
                const struct dnsbl_zone *zone = &view->snapshot->zones[i];
                size_t at = SAMPLE_AT(counters.zone_listed) + zone->count_index * sizeof(uint64_t);
                struct zone_row row = {zone->name, samples_growth_of_hour(view->samples, at)};
                if (row.listed > 0 && zone->options.weight > 0)
                        ret_rows[count++] = row;
        }
        qsort(ret_rows, count, sizeof ret_rows[0], lists_more_first);
        return count;
}

static void put_busy_zones(const struct zone_row *rows, size_t count, struct text *out)
{
        static const char *const columns[] = {"DNS list", "#Clients listed, hour", "Of the most", NULL};

        html_begin_table(out, "DNS lists that list most", columns);
        for (size_t i = 0; i < count; i++) {
                text_put(out, SPAN("<tr>"));
                html_put_name_cell(out, rows[i].name);
                html_put_number_cell(out, rows[i].listed);
                html_put_bar_cell(out, (double)rows[i].listed / (double)rows[0].listed);
                text_put(out, SPAN("</tr>\n"));
        }
        html_end_table(out);
}

static void put_refused(const struct web_view *view, struct text *out)
{
        const struct refused_network *networks[NETWORKS_SHOWN];
        struct zone_row zones[DNSBL_ZONES_MAX];
        size_t network_count = refused_most(view->refused, networks, NETWORKS_SHOWN),
               zone_count = busy_zones(view, zones);

        html_begin_section(out, "networks", "Who is refused most");
        if (network_count > 0)
                put_networks(networks, network_count, out);
        if (network_count > 0 && zone_count > 0)
                text_put(out, SPAN("<h3>Listed by</h3>\n"));
        if (zone_count > 0)
                put_busy_zones(zones, zone_count, out);
        text_put(out,
                 network_count == 0
                     ? SPAN("<p class=\"soft\">Nobody has been refused lately.</p>\n")
                     : SPAN("<p class=\"soft\">Networks count sessions in which something was refused, and "
                            "connections that were refused at accept, over about the last hour: older "
                            "ones count less.</p>\n"));
        html_end_section(out);
}

void page_write_mail(const struct web_view *view, struct text *out)
{
        put_traffic(view, out);
        put_checks(view, out);
        put_costs(view, out);
        put_refused(view, out);
}
