/* The figures of `suite`, when there are any, as a part of the comparison's page. */
#include "bench/report/internal.h"

#include <string.h>

#define BAR_WIDTH 110.0

static const char *colour_of(const char *state)
{
        return strcmp(state, "met") == 0 ? "#0f9d76" : strcmp(state, "missed") == 0 ? "#c0271d" : "#d99a1e";
}

/* The bar shows how far the value is from its bound, which is the middle. */
static void put_bar(FILE *out, double value, double bound, const char *state)
{
        double length = bound > 0 ? value / bound * BAR_WIDTH / 2 : 0;

        if (length < 0)
                length = 0;
        if (length > BAR_WIDTH)
                length = BAR_WIDTH;
        fprintf(out,
                "<svg viewBox=\"0 0 %.0f 12\" style=\"width:%.0fpx\"><rect width=\"%.1f\" height=\"12\" "
                "fill=\"%s\"/><line class=\"whisker\" x1=\"%.0f\" x2=\"%.0f\" y1=\"0\" y2=\"12\"/></svg>",
                BAR_WIDTH, BAR_WIDTH, length, colour_of(state), BAR_WIDTH / 2, BAR_WIDTH / 2);
}

static void put_row(FILE *out, const json_t *figure)
{
        const char *text, *unit, *target, *state;
        char median[FIGURE_TEXT_MAX], low_text[FIGURE_TEXT_MAX], high_text[FIGURE_TEXT_MAX];
        struct bound bound = {NO_TARGET, 0};
        double value, low, high;

        if (json_unpack((json_t *)figure, "{s:s,s:s,s:s,s:s,s:F,s:F,s:F,s:F}", "text", &text, "unit", &unit,
                        "target", &target, "state", &state, "value", &value, "low", &low, "high", &high,
                        "bound", &bound.value) != 0)
                return;
        if (strcmp(target, "none") != 0)
                bound.relation = strcmp(target, "at least") == 0 ? AT_LEAST : AT_MOST;
        unsigned decimals = value < 1000 ? 2 : 0;
        unit = strcmp(unit, "us") == 0 ? "µs" : strcmp(unit, "x") == 0 ? "×" : unit;
        fprintf(out, "<tr><td style=\"white-space:normal\">%s</td><td class=\"soft\">", text);
        if (bound.relation != NO_TARGET)
                fprintf(out, "%s %g %s", target, bound.value, unit);
        fprintf(out, "</td><td>%s %s</td><td class=\"soft\">", figure_write(median, value, decimals, &bound),
                unit);
        if (low < high)
                fprintf(out, "%s – %s", figure_write(low_text, low, decimals, &bound),
                        figure_write(high_text, high, decimals, &bound));
        fprintf(out, "</td><td>");
        if (bound.relation != NO_TARGET) {
                put_bar(out, value, bound.value, state);
                fprintf(out, "</td><td class=\"%s\">%s", state, state);
        }
        fprintf(out, "</td></tr>\n");
}

/* The suite may have run at another time, of another commit. */
static void put_head(FILE *out, const json_t *all)
{
        const char *date = "", *commit = "unknown", *command = "gatepost-bench suite";
        double before = -1, after = -1;

        json_unpack((json_t *)all, "{s?s,s?s,s?s,s?F,s?F}", "date", &date, "commit", &commit, "command",
                    &command, "load_before", &before, "load_after", &after);
        fprintf(out,
                "<h2>Figures of their own</h2><p class=\"soft\">%s, commit %s, load %.1f before, %.1f after: "
                "<code>",
                date, commit, before, after);
        report_put_text(out, command);
        fprintf(out, "</code>. A bar's line is its target.</p><div class=\"scroll\"><table>\n"
                     "<tr><th>figure</th><th>target</th><th>median</th><th>lowest – "
                     "highest</th><th></th><th></th></tr>\n");
}

void report_put_suite(FILE *out, const char *folder)
{
        char path[600];
        size_t i;
        const json_t *figure;

        snprintf(path, sizeof path, "%s/suite.json", folder);
        json_t *all = json_load_file(path, 0, NULL);
        if (all == NULL)
                return;
        put_head(out, all);
        json_array_foreach(json_object_get(all, "figures"), i, figure) put_row(out, figure);
        fprintf(out, "</table></div>\n");
        json_decref(all);
}
