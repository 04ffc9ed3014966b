/* Head, foot, and the figures that matter most. */
#include "workers/server/web/page/page.h"

#include "workers/server/web/page/html.h"
#include "workers/server/web/page/mail.h"
#include "workers/server/web/page/shadow.h"
#include "workers/server/web/page/state.h"
#include "workers/server/web/page/style.h"

#include <stdio.h>

#define REFRESH_S "10"
#define NOW       10 /* seconds over which a rate of now is meant */

/* ---- head and foot ------------------------------------------------------------------------------------- */

static void put_head(const struct web_view *view, struct text *out)
{
        const char *hostname = view->snapshot->options.hostname;

        text_put(out, SPAN("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                           "<meta http-equiv=\"refresh\" content=\"" REFRESH_S "\">\n"
                           "<meta name=\"color-scheme\" content=\"light dark\">\n<title>"));
        html_put(out, span_from(hostname));
        text_put(out, SPAN(" - gatepost</title>\n<style>"));
        text_put_string(out, style_sheet);
        text_put(out, SPAN("</style>\n</head>\n<body>\n<header>\n<h1>"));
        html_put(out, span_from(hostname));
        text_put(out, SPAN("</h1>\n<p class=\"soft\">gatepost " VERSION ", running for "));
        html_put_duration(out, view->now_s > view->start_s ? (uint64_t)(view->now_s - view->start_s) : 0);
        text_put(out, SPAN(". As of "));
        html_put_time(out, view->now_s);
        text_put(out, SPAN("; anew every " REFRESH_S " seconds.</p>\n<p>"));
}

/* The faults are JSON strings of our own, for /health and /ready. */
static void put_faults(const struct health_faults *faults, struct text *out)
{
        struct span rest = text_span(&faults->text);

        for (size_t i = 0; i < rest.length; i++)
                if (rest.at[i] == ',')
                        text_put(out, SPAN(", "));
                else if (rest.at[i] != '"')
                        text_put_char(out, rest.at[i]);
}

static void put_standing(const struct web_view *view, struct text *out)
{
        const struct health *health = view->health;
        enum rung rung = load_rung(view->parts->load);
        char load[64];

        snprintf(load, sizeof load, "load: %s", rung_names[rung]);
        if (view->leaving != NULL)
                html_put_badge(out, "warn", view->leaving);
        else if (readiness_is_well(health))
                html_put_badge(out, "good", "ready");
        else
                html_put_badge(out, "bad", "not ready");
        text_put_char(out, ' ');
        if (health_is_well(health))
                html_put_badge(out, "good", "healthy");
        else
                html_put_badge(out, "bad", "ill");
        text_put_char(out, ' ');
        html_put_badge(out, rung == RUNG_ease ? "good" : "warn", load);
        text_put_char(out, ' ');
        put_faults(&health->health, out);
        text_put(out, health_is_well(health) || readiness_is_well(health) ? SPAN("") : SPAN(", "));
        put_faults(&health->readiness, out);
        text_put(out, SPAN("</p>\n</header>\n<main>\n"));
}

static void put_foot(struct text *out)
{
        text_put(out, SPAN("</main>\n<footer>\n<p>The rules, as senders are told them: <a "
                           "href=\"/policy\">/policy</a>.</p>\n<p>The same for machines: <a "
                           "href=\"/metrics\">/metrics</a>, "
                           "<a href=\"/health\">/health</a>, <a href=\"/ready\">/ready</a>.</p>\n"
                           "</footer>\n</body>\n</html>\n"));
}

/* ---- tiles --------------------------------------------------------------------------------------------- */

/* A rate a second of the last minute, second by second. */
static size_t minute_line(const struct samples *samples, size_t at, double values[static HTML_LINE_MAX])
{
        size_t intervals = samples->minute.count > 1 ? samples->minute.count - 1 : 0;

        for (size_t i = 0; i < intervals; i++) {
                size_t back = intervals - 1 - i;
                values[i] = samples_rate(samples_back(&samples->minute, back),
                                         samples_back(&samples->minute, back + 1), at);
        }
        return intervals;
}

static void put_rate_tile(const struct web_view *view, struct text *out, const char *name, size_t at)
{
        const struct sample_ring *minute = &view->samples->minute;
        size_t back = minute->count > NOW ? NOW : minute->count == 0 ? 0 : minute->count - 1;
        double values[HTML_LINE_MAX];
        size_t count = minute_line(view->samples, at, values);

        text_printf(out, "<div class=\"tile\"><dt>%s</dt><dd><span class=\"value\">", name);
        html_put_rate(out, samples_rate(samples_back(minute, 0), samples_back(minute, back), at));
        text_put(out, SPAN(" <small>a second</small></span>"));
        html_put_line(out, values, count, "over the last minute");
        text_put(out, SPAN("</dd></div>\n"));
}

static void put_tiles(const struct web_view *view, struct text *out)
{
        const struct web_parts *parts = view->parts;
        uint64_t max = load_sessions_max(&view->snapshot->options, parts->sessions_max);

        text_put(out, SPAN("<dl class=\"tiles\">\n<div class=\"tile\"><dt>Open connections</dt><dd><span "
                           "class=\"value\">"));
        html_put_count(out, workers_open(parts->workers, parts->worker_count));
        text_put(out, SPAN("</span><br><span class=\"soft\">of "));
        html_put_count(out, max);
        text_put(out, SPAN("</span></dd></div>\n"));
        put_rate_tile(view, out, "Sessions", SAMPLE_AT(counters.metrics[METRIC_sessions]));
        put_rate_tile(view, out, "Messages stored", SAMPLE_AT(counters.metrics[METRIC_messages_accepted]));
        put_rate_tile(view, out, "Recipients refused",
                      SAMPLE_AT(counters.metrics[METRIC_recipients_refused]));
        put_rate_tile(view, out, "Recipients deferred",
                      SAMPLE_AT(counters.metrics[METRIC_recipients_deferred]));
        text_put(out, SPAN("</dl>\n"));
}

void page_write(const struct web_view *view, struct text *out)
{
        put_head(view, out);
        put_standing(view, out);
        put_tiles(view, out);
        page_write_shadow(view, out);
        page_write_mail(view, out);
        page_write_state(view, out);
        put_foot(out);
}
