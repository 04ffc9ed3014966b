/* Escapes, numbers as people read them, tables and small drawings. */
#include "workers/server/web/page/html.h"

#include "core/policy/html_escape.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define LINE_WIDTH  120.0
#define LINE_HEIGHT 28.0
#define LONG_NAME   28 /* octets; a name of more may be broken anywhere */

/* ---- text ---------------------------------------------------------------------------------------------- */

/* What is no well-formed UTF-8, is not seen or turns the direction of text becomes '?'. */
void html_put(struct text *out, struct span octets)
{
        char safe[1024];
        struct text text;

        text_over(&text, safe, sizeof safe);
        text_put_printable(&text, span_of(octets.at, octets.length < 512 ? octets.length : 512), true);
        for (size_t i = 0; i < text.length; i++) {
                const char *escaped = html_escape(safe[i]);
                if (escaped == NULL)
                        text_put_char(out, safe[i]);
                else
                        text_put_string(out, escaped);
        }
}

void html_put_count(struct text *out, uint64_t number)
{
        char digits[24];
        int length = snprintf(digits, sizeof digits, "%" PRIu64, number);

        for (int i = 0; i < length; i++) {
                if (i > 0 && (length - i) % 3 == 0)
                        text_put_char(out, ',');
                text_put_char(out, digits[i]);
        }
}

void html_put_rate(struct text *out, double rate)
{
        if (rate >= 100)
                html_put_count(out, (uint64_t)(rate + 0.5));
        else if (rate == 0)
                text_put_char(out, '0');
        else
                text_printf(out, rate >= 10 ? "%.1f" : "%.2f", rate);
}

void html_put_duration(struct text *out, uint64_t seconds)
{
        static const struct {
                uint64_t seconds;
                const char *one, *more;
        } units[] = {{86400, "day", "days"}, {3600, "h", "h"}, {60, "min", "min"}, {1, "s", "s"}};
        size_t unit = 0;

        while (unit < 3 && seconds < units[unit].seconds)
                unit++;
        for (size_t i = unit; i < 4 && i < unit + 2; i++) {
                uint64_t number = seconds / units[i].seconds;
                seconds %= units[i].seconds;
                if (i > unit && number == 0)
                        break;
                text_printf(out, "%s%" PRIu64 " %s", i > unit ? " " : "", number,
                            number == 1 ? units[i].one : units[i].more);
        }
}

void html_put_ms(struct text *out, uint64_t ms)
{
        if (ms < 1000)
                text_printf(out, "%u ms", (unsigned)ms);
        else
                text_printf(out, ms % 1000 == 0 ? "%.0f s" : "%.1f s", (double)ms / 1000);
}

void html_put_time(struct text *out, int64_t seconds)
{
        char machine[32], human[32];
        time_t time = (time_t)seconds;
        struct tm fields;

        gmtime_r(&time, &fields);
        strftime(machine, sizeof machine, "%Y-%m-%dT%H:%M:%SZ", &fields);
        strftime(human, sizeof human, "%Y-%m-%d %H:%M:%S UTC", &fields);
        text_printf(out, "<time datetime=\"%s\">%s</time>", machine, human);
}

void html_put_octets(struct text *out, uint64_t octets)
{
        static const char *const units[] = {"octets", "KiB", "MiB", "GiB", "TiB"};
        double number = (double)octets;
        size_t unit = 0;

        for (; number >= 1024 && unit < 4; unit++)
                number /= 1024;
        text_printf(out, unit == 0 || number >= 100 ? "%.0f %s" : "%.1f %s", number, units[unit]);
}

/* ---- sections and tables ------------------------------------------------------------------------------- */

void html_begin_section(struct text *out, const char *id, const char *title)
{
        text_printf(out, "<section aria-labelledby=\"%s\">\n<h2 id=\"%s\">%s</h2>\n", id, id, title);
}

void html_end_section(struct text *out)
{
        text_put(out, SPAN("</section>\n"));
}

void html_begin_table(struct text *out, const char *name, const char *const *columns)
{
        text_printf(out,
                    "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"%s\">\n<table "
                    "aria-label=\"%s\">\n<thead><tr>",
                    name, name);
        for (; *columns != NULL; columns++)
                text_printf(out, "<th scope=\"col\"%s>%s</th>", **columns == '#' ? " class=\"number\"" : "",
                            *columns + (**columns == '#'));
        text_put(out, SPAN("</tr></thead>\n<tbody>\n"));
}

void html_end_table(struct text *out)
{
        text_put(out, SPAN("</tbody>\n</table>\n</div>\n"));
}

void html_put_number_cell(struct text *out, uint64_t number)
{
        text_put_string(out, number == 0 ? "<td class=\"number zero\">" : "<td class=\"number\">");
        html_put_count(out, number);
        text_put(out, SPAN("</td>"));
}

void html_put_rate_cell(struct text *out, double rate)
{
        text_put_string(out, rate == 0 ? "<td class=\"number zero\">" : "<td class=\"number\">");
        html_put_rate(out, rate);
        text_put(out, SPAN("</td>"));
}

void html_put_mean_cell(struct text *out, uint64_t sum_ms, uint64_t count)
{
        text_put(out, SPAN("<td class=\"number\">"));
        html_put_ms(out, count == 0 ? 0 : sum_ms / count);
        text_put(out, SPAN("</td>"));
}

void html_put_bar_cell(struct text *out, double share)
{
        double width = share < 0 ? 0 : share > 1 ? 100 : share * 100;

        text_printf(out,
                    "<td class=\"bar\"><svg viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" role=\"img\" "
                    "aria-label=\"%.0f percent\"><rect class=\"track\" width=\"100\" height=\"8\"/>"
                    "<rect class=\"fill\" width=\"%.1f\" height=\"8\"/></svg></td>",
                    width, width);
}

void html_put_name_cell(struct text *out, struct span name)
{
        text_put(out, name.length > LONG_NAME ? SPAN("<th scope=\"row\" class=\"long\">")
                                              : SPAN("<th scope=\"row\">"));
        html_put(out, name);
        text_put(out, SPAN("</th>"));
}

void html_put_text_cell(struct text *out, struct span text)
{
        text_put(out, SPAN("<td>"));
        html_put(out, text);
        text_put(out, SPAN("</td>"));
}

void html_put_badge(struct text *out, const char *kind, const char *word)
{
        text_printf(out, "<span class=\"badge %s\">%s</span>", kind, word);
}

/* ---- lines --------------------------------------------------------------------------------------------- */

static double highest(const double *values, size_t count)
{
        double found = 0;

        for (size_t i = 0; i < count; i++)
                found = values[i] > found ? values[i] : found;
        return found;
}

static void put_points(struct text *out, const double *values, size_t count, double top)
{
        double step = LINE_WIDTH / (HTML_LINE_MAX - 1), left = LINE_WIDTH - step * (double)(count - 1);

        for (size_t i = 0; i < count; i++)
                text_printf(out, "%s%.1f,%.1f", i == 0 ? "" : " ", left + step * (double)i,
                            LINE_HEIGHT - 1 - (LINE_HEIGHT - 3) * values[i] / top);
}

/* The newest stands at the right edge, whatever there is of the past. */
void html_put_line(struct text *out, const double *values, size_t count, const char *what)
{
        double top = highest(values, count);

        text_printf(out,
                    "<svg class=\"line\" viewBox=\"0 0 %.0f %.0f\" preserveAspectRatio=\"none\" role=\"img\" "
                    "aria-label=\"%s: ",
                    LINE_WIDTH, LINE_HEIGHT, what);
        html_put_rate(out, count == 0 ? 0 : values[count - 1]);
        text_put(out, SPAN(" now, "));
        html_put_rate(out, top);
        text_put(out, SPAN(" at most\">"));
        if (count > 1) {
                text_put(out, SPAN("<polyline points=\""));
                put_points(out, values, count, top > 0 ? top : 1);
                text_put(out, SPAN("\"/>"));
        }
        text_put(out, SPAN("</svg>"));
}
