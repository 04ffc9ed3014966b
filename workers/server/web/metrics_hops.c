/* Next hops at /metrics. */
#include "workers/server/web/metrics_hops.h"

#include "workers/server/web/exposition.h"

static const struct {
        const char *metric, *type, *help;
} rows[FIGURE_COUNT] = {
#define ENDING_TOTAL                     "_total"
#define ENDING_NOW                       ""
#define TYPE_TOTAL                       "counter"
#define TYPE_NOW                         "gauge"
#define FIGURE(name, kind, metric, help) {"next_hop_" #name ENDING_##kind, TYPE_##kind, help},
#include "workers/hop/figures.def"
#undef FIGURE
};

size_t hops_sum(const struct web_view *view, struct figures_sum sums[static FIGURES_MAX + 1])
{
        size_t count = 0;

        sums[FIGURES_MAX] = (struct figures_sum){.name = ""};
        for (uint32_t i = 0; i < view->parts->hop_count; i++)
                figures_add(&view->parts->hops[i].figures, sums, &count);
        return count;
}

void metrics_write_hops(const struct web_view *view, struct text *out)
{
        struct figures_sum sums[FIGURES_MAX + 1];
        size_t count = hops_sum(view, sums);

        if (count == FIGURES_MAX)
                count++;
        for (size_t figure = 0; figure < FIGURE_COUNT; figure++) {
                exposition_family(out, rows[figure].metric, rows[figure].type, rows[figure].help);
                for (size_t i = 0; i < count; i++)
                        exposition_number(out, rows[figure].metric,
                                          LABEL("next_hop", span_from(sums[i].name)), NULL,
                                          sums[i].numbers[figure]);
        }
}
