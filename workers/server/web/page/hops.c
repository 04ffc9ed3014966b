/* A row for each next hop. */
#include "workers/server/web/page/hops.h"

#include "workers/server/web/metrics_hops.h"
#include "workers/server/web/page/html.h"

static void put_row(const struct figures_sum *sum, struct text *out)
{
        bool is_named = sum->name[0] != '\0', is_down = sum->numbers[FIGURE_down] > 0;
        uint64_t silent = sum->numbers[FIGURE_broken] + sum->numbers[FIGURE_unknown];

        text_put(out, SPAN("<tr>"));
        html_put_name_cell(out, is_named ? span_from(sum->name) : SPAN("all others"));
        text_put(out, SPAN("<td>"));
        if (is_named)
                html_put_badge(out, is_down ? "bad" : "good", is_down ? "down" : "up");
        text_put(out, SPAN("</td>"));
        html_put_number_cell(out, sum->numbers[FIGURE_waiting]);
        html_put_number_cell(out, sum->numbers[FIGURE_busy]);
        html_put_number_cell(out, sum->numbers[FIGURE_connections]);
        html_put_number_cell(out, sum->numbers[FIGURE_delivered]);
        html_put_number_cell(out, sum->numbers[FIGURE_refused]);
        html_put_number_cell(out, sum->numbers[FIGURE_deferred]);
        html_put_number_cell(out, silent);
        text_put(out, SPAN("</tr>\n"));
}

void page_write_hops(const struct web_view *view, struct text *out)
{
        static const char *const columns[] = {"Next hop",     "State",     "#Waiting", "#Under way",
                                              "#Connections", "#Accepted", "#Refused", "#Deferred",
                                              "#Silent",      NULL};
        struct figures_sum sums[FIGURES_MAX + 1];
        size_t count = hops_sum(view, sums);

        if (count == 0)
                return;
        html_begin_section(out, "next-hops", "Next hops");
        html_begin_table(out, "Mail by next hop", columns);
        for (size_t i = 0; i < count + (count == FIGURES_MAX); i++)
                put_row(&sums[i], out);
        html_end_table(out);
        text_put(out,
                 SPAN("<p class=\"soft\">The last four columns are recipients since the start; of a next "
                      "hop that is silent nobody knows whether it has the mail.</p>\n"));
        html_end_section(out);
}
