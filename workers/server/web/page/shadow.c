/* Counts by check, and what it costs. */
#include "workers/server/web/page/shadow.h"

#include "workers/server/web/page/html.h"
#include "workers/shadow/tell.h"

static void put_head(const struct shadow_figures *figures, struct text *out)
{
        text_put(out, SPAN("<p>"));
        html_put(out, span_from(figures->path));
        text_printf(out, " judges %g percent of the sessions as well, since ", figures->share_ppm / 10000.0);
        html_put_time(out, figures->since_s);
        text_put(out, SPAN(": "));
        html_put_count(out, figures->judged);
        text_put(out, SPAN(" sessions, "));
        html_put_count(out, figures->answers);
        text_put(out, SPAN(" answers, of which "));
        html_put_count(out, figures->changes[CHANGE_NONE]);
        text_put(out, SPAN(" stay as they were.</p>\n"));
}

static void put_row(struct text *out, const char *name, const uint64_t changes[static REHEARSE_CHANGES])
{
        text_put(out, SPAN("<tr>"));
        html_put_name_cell(out, span_from(name));
        for (enum rehearse_change change = CHANGE_REFUSES_MORE; change < REHEARSE_CHANGES; change++)
                html_put_number_cell(out, changes[change]);
        text_put(out, SPAN("</tr>\n"));
}

static bool has_change(const uint64_t changes[static REHEARSE_CHANGES])
{
        bool is_any = false;

        for (enum rehearse_change change = CHANGE_REFUSES_MORE; change < REHEARSE_CHANGES; change++)
                is_any |= changes[change] > 0;
        return is_any;
}

static void put_checks(const struct shadow_figures *figures, struct text *out)
{
        static const char *const columns[] = {
            "Check", "#Refuses more", "#Refuses less", "#Defers more", "#Defers less", "#Unknown", NULL};

        html_begin_table(out, "What it would answer", columns);
        put_row(out, "all", figures->changes);
        for (size_t check = 0; check <= CHECK_COUNT; check++)
                if (has_change(figures->by_check[check]))
                        put_row(out, check < CHECK_COUNT ? check_infos[check].name : "none",
                                figures->by_check[check]);
        html_end_table(out);
}

static void put_domains(const struct shadow_top domains[static REHEARSE_CHANGES], struct text *out)
{
        static const char *const words[REHEARSE_CHANGES] = {[CHANGE_REFUSES_MORE] = "refused more",
                                                            [CHANGE_REFUSES_LESS] = "refused less",
                                                            [CHANGE_DEFERS_MORE] = "deferred more",
                                                            [CHANGE_DEFERS_LESS] = "deferred less"};

        for (enum rehearse_change change = CHANGE_REFUSES_MORE; change < CHANGE_UNKNOWN; change++) {
                const struct shadow_top *top = &domains[change];
                for (size_t i = 0; i < top->count; i++) {
                        if (i == 0)
                                text_printf(out, "<p>Sender domains most often %s: ", words[change]);
                        else
                                text_put(out, SPAN(", "));
                        html_put(out, span_from(top->names[i].name));
                        text_put_char(out, ' ');
                        html_put_count(out, top->names[i].answers);
                }
                if (top->count > 0)
                        text_put(out, SPAN(".</p>\n"));
        }
}

static void put_cost(const struct shadow_counts *counts, struct text *out)
{
        text_put(out, SPAN("<p class=\"soft\">Added questions: "));
        html_put_count(out, counts->questions);
        text_put(out, SPAN(". Whoever asked would have waited "));
        html_put_ms(out, counts->asked_sessions == 0 ? 0 : counts->waited_ms / counts->asked_sessions);
        text_put(out, SPAN(", and "));
        html_put_ms(out, counts->waited_max_ms);
        text_put(out, SPAN(" at most. gatepost shadow status shows more.</p>\n"));
}

void page_write_shadow(const struct web_view *view, struct text *out)
{
        struct shadow *shadow = view->parts->shadow;
        struct shadow_top domains[REHEARSE_CHANGES];
        struct shadow_figures figures;

        if (!shadow_look(shadow, &figures) || !shadow_look_at_domains(shadow, domains))
                return;
        html_begin_section(out, "shadow", "Shadow");
        put_head(&figures, out);
        put_checks(&figures, out);
        put_domains(domains, out);
        put_cost(&figures.counts, out);
        html_end_section(out);
}
