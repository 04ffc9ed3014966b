/* Whether the journal takes mail, what waits in it, and what came in and went out. */
#include "workers/server/web/page/journal.h"

#include "workers/server/web/page/growth.h"
#include "workers/server/web/page/html.h"

static uint64_t number(const struct sample *sample, enum metric_id metric)
{
        return counter_read(&sample->counters.metrics[metric]);
}

/* What takes mail has a free segment, or a message that waits: before, its drain has not been told of it. */
static bool is_open(const struct journal *journal, const struct sample *now)
{
        return atomic_load(&journal->is_open) &&
               (number(now, METRIC_journal_free_segments) > 0 || number(now, METRIC_journal_waiting) > 0);
}

/* The last free segment is for outcomes. */
static void put_state(const struct web_view *view, bool is_there, const struct sample *now, struct text *out)
{
        size_t failures = SAMPLE_AT(counters.metrics[METRIC_journal_failures]);

        if (atomic_load(&view->parts->journal->is_released))
                html_put_badge(out, "off", "given up");
        else if (!is_there)
                html_put_badge(out, "bad", "not open");
        else if (samples_growth(now, samples_oldest(&view->samples->minute), failures) > 0)
                html_put_badge(out, "bad", "fails");
        else if (number(now, METRIC_journal_free_segments) < 2)
                html_put_badge(out, "bad", "full");
        else
                html_put_badge(out, "good", "takes mail");
}

static void put_room(const struct journal *journal, const struct sample *now, struct text *out)
{
        uint64_t all = journal->store.folder.slots_max, free = number(now, METRIC_journal_free_segments);
        uint64_t used = free < all ? all - free : 0;

        html_put_octets(out, used * journal->settings.segment_size);
        text_put(out, SPAN(" of "));
        html_put_octets(out, all * journal->settings.segment_size);
        text_printf(out, ", %.0f percent, are in use.", 100.0 * (double)used / (double)all);
}

static void put_waiting(const struct web_view *view, const struct sample *now, struct text *out)
{
        bool is_there = is_open(view->parts->journal, now);
        uint64_t waiting = number(now, METRIC_journal_waiting), oldest = number(now, METRIC_journal_oldest);

        text_put(out, SPAN("<p>"));
        put_state(view, is_there, now, out);
        if (is_there) {
                text_put_char(out, ' ');
                html_put_count(out, waiting);
                text_put_string(out, waiting == 1 ? " message waits" : " messages wait");
                if (oldest > 0) {
                        text_put_string(out, waiting == 1 ? ", for " : ", the oldest for ");
                        html_put_duration(out, oldest);
                }
                text_put(out, SPAN(". "));
                put_room(view->parts->journal, now, out);
        }
        text_put(out, SPAN("</p>\n"));
}

static void put_rows(const struct web_view *view, struct text *out)
{
        static const char *const columns[] = {"What", "#Minute", "#Hour", "#Since the start", NULL};
        static const struct {
                const char *name;
                enum metric_id metric;
        } rows[] = {
            {"Messages in", METRIC_journal_messages},
            {"Messages out", METRIC_journal_settled},
            {"Recipients delivered", METRIC_journal_delivered},
            {"Dead letters", METRIC_journal_dead},
            {"Tries deferred", METRIC_journal_deferred},
            {"Messages not taken", METRIC_journal_refused},
            {"Writes and syncs failed", METRIC_journal_failures},
            {"Records damaged", METRIC_journal_damaged},
        };

        html_begin_table(out, "In and out", columns);
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
                struct growth growth =
                    growth_of(view->samples, SAMPLE_AT(counters.metrics) + rows[i].metric * sizeof(uint64_t));
                text_put(out, SPAN("<tr>"));
                html_put_name_cell(out, span_from(rows[i].name));
                growth_put_cells(out, &growth);
                text_put(out, SPAN("</tr>\n"));
        }
        html_end_table(out);
}

void page_write_journal(const struct web_view *view, struct text *out)
{
        const struct sample *now = samples_back(&view->samples->minute, 0);

        if (view->parts->journal == NULL || now == NULL)
                return;
        html_begin_section(out, "journal", "Journal");
        put_waiting(view, now, out);
        put_rows(view, out);
        text_put(out, SPAN("<p class=\"soft\">Out is delivered, dead or dropped; dead letters are "
                           "recipients; the age of the oldest is as of "
                           "the last minute. gatepost journal list shows what waits.</p>\n"));
        html_end_section(out);
}
