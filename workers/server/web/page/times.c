/* Quantiles of the last hour, from histograms: the bound of the bucket that they are in. */
#include "workers/server/web/page/times.h"

#include "workers/server/web/page/html.h"

/* What came between two samples. */
struct span_of_time {
        uint64_t counts[HISTOGRAM_BUCKETS], count, sum_ms;
};

static struct span_of_time between(const struct histogram *newer, const struct histogram *older)
{
        struct span_of_time found = {.sum_ms = counter_read(&newer->sum_ms) - counter_read(&older->sum_ms)};

        for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
                found.counts[i] = counter_read(&newer->counts[i]) - counter_read(&older->counts[i]);
                found.count += found.counts[i];
        }
        return found;
}

static void put_quantile_cell(struct text *out, const struct span_of_time *times, unsigned percent)
{
        uint64_t wanted = (times->count * percent + 99) / 100, seen = 0;
        size_t bucket = 0;

        if (times->count == 0) {
                text_put(out, SPAN("<td class=\"number zero\">-</td>"));
                return;
        }
        while (bucket < HISTOGRAM_BUCKETS - 1 && (seen += times->counts[bucket]) < wanted)
                bucket++;
        text_put_string(out, bucket < HISTOGRAM_BOUNDS ? "<td class=\"number\">&le; "
                                                       : "<td class=\"number\">&gt; ");
        html_put_ms(out, histogram_bounds_ms[bucket < HISTOGRAM_BOUNDS ? bucket : HISTOGRAM_BOUNDS - 1]);
        text_put(out, SPAN("</td>"));
}

static void put_row(struct text *out, const char *name, const struct histogram *newer,
                    const struct histogram *older)
{
        struct span_of_time times = between(newer, older);

        text_put(out, SPAN("<tr>"));
        html_put_name_cell(out, span_from(name));
        html_put_number_cell(out, times.count);
        put_quantile_cell(out, &times, 50);
        put_quantile_cell(out, &times, 95);
        put_quantile_cell(out, &times, 99);
        html_put_mean_cell(out, times.sum_ms, times.count);
        text_put(out, SPAN("</tr>\n"));
}

static void put_queue(const struct web_view *view, const struct sample *now, struct text *out)
{
        text_put(out, SPAN("<p>"));
        html_put_count(out, counter_read(&now->counters.metrics[METRIC_deliveries]));
        text_put(out, SPAN(" messages are at the delivery threads. Clients make the server hold "));
        html_put_octets(out, counter_read(&now->counters.metrics[METRIC_memory_held]));
        text_put(out, SPAN(" of "));
        html_put_octets(out, atomic_load_explicit(&view->parts->budget->max, memory_order_relaxed));
        text_put(out, SPAN(".</p>\n"));
}

void page_write_times(const struct web_view *view, struct text *out)
{
        static const char *const columns[] = {"Of the last hour", "#How many", "#Half", "#95 percent",
                                              "#99 percent",      "#Mean",     NULL};
        static const char *const names[TIME_COUNT] = {
#define TIME(name, metric, stage, shown, help) [TIME_##name] = (shown),
#include "core/smtp/metrics.def"
        };
        const struct sample *now = samples_back(&view->samples->minute, 0);
        const struct sample *then = samples_oldest(&view->samples->hour);

        html_begin_section(out, "times", "Delivery and times");
        if (now != NULL && then != NULL) {
                put_queue(view, now, out);
                html_begin_table(out, "Times", columns);
                for (size_t i = TIME_NONE + 1; i < TIME_COUNT; i++)
                        put_row(out, names[i], &now->counters.times[i], &then->counters.times[i]);
                put_row(out, "Questions to DNS", &now->dns_times, &then->dns_times);
                html_end_table(out);
        }
        html_end_section(out);
}
