/* A row for each mail filter, and for each daemon of recipients: what was counted in the last hour; and one for each
 * Redis. */
#include "workers/server/web/page/daemons.h"

#include "workers/server/web/page/html.h"

#include <assert.h>

static_assert(FILTER_COUNT_ASKED == 0 && FILTER_COUNT_MS == FILTER_COUNT_COUNT - 1,
              "between them stand the columns");
static_assert(SOCKETMAP_COUNT_ASKED == 0 && SOCKETMAP_COUNT_MS == SOCKETMAP_COUNT_COUNT - 1, "the same");

/* `count` numbers stand at `at`: how often it was asked, what that came to, and how long all of it took. */
static void put_counts(const struct samples *samples, size_t at, size_t count, struct text *out)
{
        uint64_t asked = samples_growth_of_hour(samples, at), last = 0;

        for (size_t i = 0; i < count; i++) {
                last = samples_growth_of_hour(samples, at + i * sizeof(uint64_t));
                if (i < count - 1)
                        html_put_number_cell(out, last);
        }
        html_put_mean_cell(out, last, asked);
        text_put(out, SPAN("</tr>\n"));
}

static void put_filter(const struct web_view *view, const struct mail_filter *filter, struct text *out)
{
        text_put(out, SPAN("<tr>"));
        html_put_name_cell(out, filter->name);
        html_put_text_cell(out, filter->kind == FILTER_MILTER ? SPAN("milter") : SPAN("policy service"));
        put_counts(view->samples,
                   SAMPLE_AT(counters.filter_counts) +
                       (size_t)filter->count_index * FILTER_COUNT_COUNT * sizeof(uint64_t),
                   FILTER_COUNT_COUNT, out);
}

void page_write_filters(const struct web_view *view, struct text *out)
{
        static const char *const columns[] = {"Of the last hour", "Kind",      "#Asked",
                                              "#Refused",         "#Deferred", "#Discarded",
                                              "#Failed",          "#Mean",     NULL};

        if (view->snapshot->filter_count == 0)
                return;
        html_begin_section(out, "filters", "Mail filters");
        html_begin_table(out, "Mail by filter", columns);
        for (size_t i = 0; i < view->snapshot->filter_count; i++)
                put_filter(view, &view->snapshot->filters[i], out);
        html_end_table(out);
        text_put(out,
                 SPAN("<p class=\"soft\">A filter is asked about recipients and about texts; the log has "
                      "filter_failed with the reason.</p>\n"));
        html_end_section(out);
}

void page_write_recipient_daemons(const struct web_view *view, struct text *out)
{
        static const char *const columns[] = {"Of the last hour", "#Asked",  "#Joined",
                                              "#Found",           "#Absent", "#Failed",
                                              "#Connections",     "#Mean",   NULL};
        const struct socketmap_daemon *daemons = view->snapshot->socketmaps;

        if (view->snapshot->socketmap_count == 0)
                return;
        html_begin_section(out, "recipient-daemons", "Daemons of recipients");
        html_begin_table(out, "Recipients by daemon", columns);
        for (size_t i = 0; i < view->snapshot->socketmap_count; i++) {
                text_put(out, SPAN("<tr>"));
                html_put_name_cell(out, daemons[i].name);
                put_counts(view->samples,
                           SAMPLE_AT(counters.socketmap_counts) +
                               (size_t)daemons[i].count_index * SOCKETMAP_COUNT_COUNT * sizeof(uint64_t),
                           SOCKETMAP_COUNT_COUNT, out);
        }
        html_end_table(out);
        text_put(out,
                 SPAN("<p class=\"soft\">Who joins an equal question is asked about once; recipients whose "
                      "daemon fails are deferred, and the log has socketmap_failed with the reason.</p>\n"));
        html_end_section(out);
}

static void put_redis(const struct web_view *view, const struct sender_board_row *row, struct text *out)
{
        uint64_t seconds = view->now_s > row->since_s ? (uint64_t)(view->now_s - row->since_s) : 0;

        text_put(out, SPAN("<tr>"));
        html_put_name_cell(out, span_from(row->name));
        text_put(out, SPAN("<td>"));
        html_put_badge(out, row->is_reachable ? "good" : "bad", row->is_reachable ? "answers" : "silent");
        text_put(out, SPAN("</td><td>"));
        html_put_duration(out, seconds);
        text_put(out, SPAN("</td>"));
        html_put_text_cell(out, span_from(row->server));
        html_put_text_cell(out, span_from(row->sentinel));
        html_put_number_cell(out, row->servers_changed);
        html_put_number_cell(out, row->failures);
        text_put(out, SPAN("</tr>\n"));
}

void page_write_senders(const struct web_view *view, struct text *out)
{
        static const char *const columns[] = {
            "Redis", "State", "Since", "Server", "Sentinel", "#Servers changed", "#Failures", NULL};
        struct sender_board_row rows[SENDER_SHARES_MAX];
        size_t count = sender_board_read(view->parts->senders, rows);

        if (count == 0)
                return;
        html_begin_section(out, "senders", "Store of senders");
        html_begin_table(out, "The Redis of sender_store", columns);
        for (size_t i = 0; i < count; i++)
                put_redis(view, &rows[i], out);
        html_end_table(out);
        text_put(
            out,
            SPAN("<p class=\"soft\">Each of them has a share of what is remembered of senders. While one "
                 "is silent checks do without its share; the log has sender_unreachable, sender_lost "
                 "or sender_refused with the reason.</p>\n"));
        html_end_section(out);
}
