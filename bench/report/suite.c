/* The figures of `suite`, when there are any, as a part of the comparison's page. */
#include "bench/report/internal.h"

#include <string.h>

#define BAR_WIDTH 110.0

/* The bar shows how far the value is from its bound, which is the middle. */
static void put_bar(FILE *out, double value, double bound, bool is_met)
{
        double length = bound > 0 ? value / bound * BAR_WIDTH / 2 : 0;

        if (length < 0)
                length = 0;
        if (length > BAR_WIDTH)
                length = BAR_WIDTH;
        fprintf(out,
                "<svg viewBox=\"0 0 %.0f 12\" style=\"width:%.0fpx\"><rect width=\"%.1f\" height=\"12\" "
                "fill=\"%s\"/><line class=\"whisker\" x1=\"%.0f\" x2=\"%.0f\" y1=\"0\" y2=\"12\"/></svg>",
                BAR_WIDTH, BAR_WIDTH, length, is_met ? "#0f9d76" : "#c0271d", BAR_WIDTH / 2, BAR_WIDTH / 2);
}

static void put_row(FILE *out, const json_t *figure)
{
        const char *text, *unit, *target, *state;
        double value, bound;

        if (json_unpack((json_t *)figure, "{s:s,s:s,s:s,s:s,s:F,s:F}", "text", &text, "unit", &unit, "target",
                        &target, "state", &state, "value", &value, "bound", &bound) != 0)
                return;
        bool is_met = strcmp(state, "met") == 0;
        int decimals = value < 1000 ? 2 : 0;
        unit = strcmp(unit, "us") == 0 ? "µs" : strcmp(unit, "x") == 0 ? "×" : unit;
        fprintf(out, "<tr><td style=\"white-space:normal\">%s</td><td class=\"soft\">", text);
        if (strcmp(target, "none") != 0)
                fprintf(out, "%s %g %s", target, bound, unit);
        fprintf(out, "</td><td>%.*f %s</td><td>", decimals, value, unit);
        if (strcmp(target, "none") != 0) {
                put_bar(out, value, bound, is_met);
                fprintf(out, "</td><td class=\"%s\">%s", is_met ? "met" : "missed",
                        is_met ? "met" : "missed");
        }
        fprintf(out, "</td></tr>\n");
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
        fprintf(
            out,
            "<h2>Figures of their own</h2><p class=\"soft\">%s, from <code>gatepost-bench suite</code>; a "
            "bar's line is its target.</p><div class=\"scroll\"><table>\n"
            "<tr><th>figure</th><th>target</th><th>measured</th><th></th><th></th></tr>\n",
            json_string_value(json_object_get(all, "date")));
        json_array_foreach(json_object_get(all, "figures"), i, figure) put_row(out, figure);
        fprintf(out, "</table></div>\n");
        json_decref(all);
}
