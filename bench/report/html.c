/* The comparison as one HTML file: plots as inline SVG, nothing fetched, no script. */
#include "bench/report/internal.h"

#include <string.h>

#define BAR_HEIGHT  16
#define HEAD_HEIGHT 22 /* the case's name above its bars */
#define CASE_GAP    10
#define LABEL_X     92
#define PLOT_WIDTH  600
#define PLOT_RIGHT  210

static const char *const colours[] = {"#a3adb8", "#1f6feb", "#d97706", "#7c3aed",
                                      "#0f9d76", "#c2255c", "#0e7490", "#7a5c3e"};

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>gatepost: "
    "comparison</title>\n"
    "<style>\n"
    "body{font:15px/1.5 system-ui,sans-serif;color:#1d2733;background:#fff;max-width:75rem;margin:2rem "
    "auto;padding:0 1rem}\n"
    "h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:2.2rem 0 .3rem}p{margin:.4rem "
    "0}.soft{color:#5c6a79}\n"
    "table{border-collapse:collapse;width:100%;font-size:13px;font-variant-numeric:tabular-nums}\n"
    "th,td{padding:.25rem "
    ".35rem;text-align:right;white-space:nowrap}th{color:#5c6a79;font-weight:600;border-bottom:1px solid "
    "#cdd5de}\n"
    "td:nth-child(-n+2),th:nth-child(-n+2){text-align:left}tr.first td{border-top:1px solid #e6ebf0}\n"
    ".met{color:#0b7a4b;font-weight:600}.missed{color:#c0271d;font-weight:600}.undecided{color:#8a5a00;font-"
    "weight:"
    "600}"
    ".scroll{overflow-x:auto}\n"
    "svg{width:100%;height:auto;display:block}svg text{font:12px system-ui,sans-serif;fill:#1d2733}\n"
    "svg .soft{fill:#5c6a79}svg .grid{stroke:#cdd5de}svg .case{font-weight:600}svg "
    ".whisker{stroke:#1d2733;stroke-opacity:.55}\n"
    ".key span{display:inline-block;margin-right:1.2rem}.key "
    "i{display:inline-block;width:.8rem;height:.8rem;border-radius:2px;margin-right:.4rem}\n"
    "</style></head><body>\n";

static const char *colour_of(unsigned peer)
{
        return colours[peer % (sizeof colours / sizeof colours[0])];
}

/* ---- plots --------------------------------------------------------------------------------------------- */

struct plot {
        enum figure figure;
        const char *title, *note;
};

static double highest(const struct comparison *comparison, const struct compare_case *compare_case,
                      enum figure figure)
{
        double high = 0;

        for (unsigned i = 0; i < comparison->peer_count; i++) {
                double value = spread_of(&compare_case->cells[comparison->peers[i]], figure).high;
                high = value > high ? value : high;
        }
        return high;
}

/* gatepost is compared with the floor, others with gatepost. */
static void put_multiple(FILE *out, const struct compare_case *compare_case, enum peer_kind peer,
                         enum figure figure)
{
        enum peer_kind base = peer == PEER_gatepost ? PEER_floor : PEER_gatepost;
        double ratio = quotient_of(compare_case, peer, base, figure);

        if (ratio > 0)
                fprintf(out, "<tspan class=\"soft\" dx=\"8\">%.*f × %s</tspan>", ratio < 10 ? 2 : 0, ratio,
                        peer_name(base));
}

static void put_bar(FILE *out, const struct comparison *comparison, const struct compare_case *compare_case,
                    unsigned number, const struct plot *plot, double scale, unsigned y)
{
        enum peer_kind peer = comparison->peers[number];
        const struct cell *cell = &compare_case->cells[peer];
        struct spread spread = spread_of(cell, plot->figure);
        const struct shape *shape = &figure_shapes[plot->figure];
        double middle = y + BAR_HEIGHT / 2.0 - 1;

        fprintf(out, "<text class=\"soft\" text-anchor=\"end\" x=\"%d\" y=\"%.1f\">%s%s</text>", LABEL_X - 8,
                middle + 4, peer_name(peer), cell->workload->has_own ? "*" : "");
        fprintf(out, "<rect x=\"%d\" y=\"%u\" width=\"%.1f\" height=\"%d\" rx=\"2\" fill=\"%s\"/>", LABEL_X,
                y, spread.median * scale, BAR_HEIGHT - 2, colour_of(peer));
        fprintf(out, "<line class=\"whisker\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>",
                LABEL_X + spread.low * scale, LABEL_X + spread.high * scale, middle, middle);
        fprintf(out, "<text x=\"%.1f\" y=\"%.1f\">", LABEL_X + spread.high * scale + 6, middle + 4);
        fprintf(out, "%.*f", (int)shape->decimals, spread.median / shape->divisor);
        put_multiple(out, compare_case, peer, plot->figure);
        fprintf(out, "%s</text>\n", cell->failures > 0 ? " failed" : "");
}

/* Each case has a scale of its own: cheap and dear kinds of work would not fit on one. */
static void put_case(FILE *out, const struct comparison *comparison, const struct compare_case *compare_case,
                     const struct plot *plot, unsigned y)
{
        double high = highest(comparison, compare_case, plot->figure);
        double scale = high > 0 ? PLOT_WIDTH / high : 0;

        fprintf(out, "<text class=\"case\" x=\"0\" y=\"%u\">%s, %u open</text>\n", y + HEAD_HEIGHT - 7,
                compare_case->workload->title, compare_case->concurrency);
        fprintf(out, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%u\" y2=\"%u\"/>", LABEL_X, LABEL_X,
                y + HEAD_HEIGHT, y + HEAD_HEIGHT + comparison->peer_count * BAR_HEIGHT);
        for (unsigned i = 0; i < comparison->peer_count; i++)
                put_bar(out, comparison, compare_case, i, plot, scale, y + HEAD_HEIGHT + i * BAR_HEIGHT);
}

static void put_plot(FILE *out, const struct comparison *comparison, const struct plot *plot)
{
        unsigned case_height = HEAD_HEIGHT + comparison->peer_count * BAR_HEIGHT + CASE_GAP;
        unsigned height = comparison->case_count * case_height;

        fprintf(out,
                "<h2>%s</h2><p class=\"soft\">%s Each kind of work has a scale of its own, which begins at "
                "0.</p>\n<svg viewBox=\"0 0 %d %u\" role=\"img\">\n",
                plot->title, plot->note, LABEL_X + PLOT_WIDTH + PLOT_RIGHT, height);
        for (unsigned i = 0; i < comparison->case_count; i++)
                put_case(out, comparison, &comparison->cases[i], plot, i * case_height);
        fprintf(out, "</svg>\n");
}

/* ---- tables -------------------------------------------------------------------------------------------- */

static void put_target(FILE *out, const struct compare_case *compare_case, const struct target *target)
{
        static const char *const marks[] = {
            [TARGET_NONE] = "", [TARGET_MET] = "✓", [TARGET_MISSED] = "✗", [TARGET_UNDECIDED] = "?"};
        char bound[FIGURE_TEXT_MAX], median[FIGURE_TEXT_MAX], low[FIGURE_TEXT_MAX], high[FIGURE_TEXT_MAX];
        const char *state = target_state_name(target->state);

        if (target->state == TARGET_NONE)
                return;
        bound_write(bound, sizeof bound, &target->bound, "");
        fprintf(out, "<tr><td>%s, %u open</td><td>%s</td><td>%s × %s</td><td>%s</td><td>%s – %s</td>",
                compare_case->workload->title, compare_case->concurrency, figure_name(target->figure), bound,
                peer_name(target->base), figure_write(median, target->ratio.median, 2, &target->bound),
                figure_write(low, target->ratio.low, 2, &target->bound),
                figure_write(high, target->ratio.high, 2, &target->bound));
        fprintf(out, "<td class=\"%s\">%s %s</td></tr>\n", state, marks[target->state], state);
}

static void put_targets(FILE *out, const struct comparison *comparison)
{
        fprintf(out,
                "<h2>Targets</h2><p class=\"soft\">gatepost as a multiple of other servers in the same "
                "round. A target that some rounds meet and others miss is undecided. The floor has the same "
                "dialogue with canned replies and does nothing else.</p>"
                "<div class=\"scroll\"><table>\n"
                "<tr><th>work</th><th>figure</th><th>target</th><th>median</th><th>lowest – "
                "highest</th><th></th></tr>\n");
        for (unsigned i = 0; i < comparison->case_count; i++)
                for (unsigned j = 0; j < target_count; j++) {
                        struct target target = target_of(comparison, &comparison->cases[i], j);
                        put_target(out, &comparison->cases[i], &target);
                }
        fprintf(out, "</table></div>\n");
}

static void put_row(FILE *out, const struct comparison *comparison, const struct compare_case *compare_case,
                    unsigned peer)
{
        const struct cell *cell = &compare_case->cells[comparison->peers[peer]];
        struct spread rate = spread_of(cell, FIGURE_RATE), cpu = spread_of(cell, FIGURE_CPU);

        fprintf(out, peer == 0 ? "<tr class=\"first\"><td>" : "<tr><td>");
        if (peer == 0)
                fprintf(out, "%s, %u open", compare_case->workload->name, compare_case->concurrency);
        fprintf(out, "</td><td>%s%s</td>", peer_name(comparison->peers[peer]),
                cell->workload->has_own ? "*" : "");
        fprintf(out,
                "<td>%.0f</td><td class=\"soft\">%.0f – %.0f</td><td>%.1f</td><td class=\"soft\">%.1f – "
                "%.1f</td>",
                rate.median, rate.low, rate.high, cpu.median, cpu.low, cpu.high);
        fprintf(out, "<td>%.2f</td><td>%.2f</td><td>%.2f</td><td>%.2f</td>",
                spread_of(cell, FIGURE_P50).median / 1000, spread_of(cell, FIGURE_P99).median / 1000,
                spread_of(cell, FIGURE_P99_9).median / 1000, spread_of(cell, FIGURE_SWITCHES).median);
        if (cell->syscalls != NULL)
                fprintf(out, "<td>%.1f</td>", json_real_value(json_object_get(cell->syscalls, "all")));
        else
                fprintf(out, "<td>–</td>");
        fprintf(out, "<td>%.1f</td><td>%llu</td></tr>\n", spread_of(cell, FIGURE_GENERATOR).median,
                (unsigned long long)cell->failures);
}

static void put_idle(FILE *out, const struct comparison *comparison, enum peer_kind peer, bool is_first)
{
        double octets = comparison->idle_octets[peer];

        fprintf(out, "%s%s: ", is_first ? "Of the server's user memory: " : ", ", peer_name(peer));
        if (octets < 0)
                fprintf(out, "not measured");
        else
                fprintf(out, "%.0f octets", octets);
}

static void put_figures(FILE *out, const struct comparison *comparison)
{
        fprintf(out,
                "<h2>All figures</h2><div "
                "class=\"scroll\"><table>\n<tr><th>work</th><th>server</th><th>sessions/s</th><th></th>"
                "<th>CPU µs</th><th></th><th>p50 ms</th><th>p99 ms</th><th>p99.9 ms</th><th>switches</th>"
                "<th>system calls</th><th>generator µs</th><th>failed</th></tr>\n");
        for (unsigned i = 0; i < comparison->case_count; i++)
                for (unsigned j = 0; j < comparison->peer_count; j++)
                        put_row(out, comparison, &comparison->cases[i], j);
        fprintf(out, "</table></div>\n<h2>Memory of an idle connection</h2><p>");
        for (unsigned i = 0; i < comparison->peer_count; i++)
                put_idle(out, comparison, comparison->peers[i], i == 0);
        fprintf(out, ".</p>\n");
}

/* ---- page ---------------------------------------------------------------------------------------------- */

void report_put_text(FILE *out, const char *text)
{
        for (; *text != '\0'; text++)
                if (*text == '<' || *text == '&')
                        fprintf(out, "&#%d;", *text);
                else
                        fputc(*text, out);
}

static void put_key(FILE *out, const struct comparison *comparison, enum peer_kind peer)
{
        fprintf(out, "<span><i style=\"background:%s\"></i>%s <span class=\"soft\">", colour_of(peer),
                peer_name(peer));
        report_put_text(out, comparison->versions[peer]);
        fprintf(out, "</span></span>");
}

static void put_head(FILE *out, const struct comparison *comparison)
{
        fprintf(out,
                "%s<h1>gatepost compared</h1><p class=\"soft\">%s · %s · load %.1f before, %.1f after</p>\n",
                head, comparison->date, comparison->machine, comparison->load_before, comparison->load_after);
        fprintf(out, "<p><code>");
        report_put_text(out, comparison->options->command);
        fprintf(
            out,
            "</code></p><p>Medians of %u rounds of %.1f s each, all servers and cases interleaved; bars' "
            "lines "
            "reach from the lowest to the highest round. Multiples beside bars are quotients of these "
            "medians. "
            "Load "
            "generator and server share the machine. Server CPU from %s. Where a server's name has a *, it "
            "answers that work in a way of its own: what differs is in <code>bench/scenarios</code> and "
            "<code>bench/README.md</code>.</p>\n<p class=\"key\">",
            comparison->options->rounds, comparison->options->seconds, comparison->cpu_source);
        for (unsigned i = 0; i < comparison->peer_count; i++)
                put_key(out, comparison, comparison->peers[i]);
        fprintf(out, "</p>\n");
}

bool report_write_html(const struct comparison *comparison, const char *path)
{
        static const struct plot plots[] = {
            {FIGURE_RATE, "Sessions per second", "More is better."},
            {FIGURE_CPU, "Server CPU per session, µs", "Less is better; user and system time."},
            {FIGURE_P99, "p99 of a whole session, ms", "Less is better; from connect to the server's close."},
        };
        FILE *out = fopen(path, "we");

        if (out == NULL)
                return false;
        put_head(out, comparison);
        put_targets(out, comparison);
        report_put_suite(out, comparison->options->out);
        for (size_t i = 0; i < sizeof plots / sizeof plots[0]; i++)
                put_plot(out, comparison, &plots[i]);
        put_figures(out, comparison);
        fprintf(out, "</body></html>\n");
        bool is_good = !ferror(out);
        return fclose(out) == 0 && is_good;
}
