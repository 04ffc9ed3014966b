/* Pieces of HTML. Whatever comes from outside is escaped; what the program writes itself is given as it is. */
#pragma once

#include "core/base/text.h"

/* What strangers or files wrote, as text between tags or in a quoted attribute. */
void html_put(struct text *out, struct span octets);
/* "12,345" */
void html_put_count(struct text *out, uint64_t number);
/* A rate a second, with as many decimals as it needs: "0", "0.02", "3.4", "12,345". */
void html_put_rate(struct text *out, double rate);
/* "3 days 4 h", "12 min", "40 s": the two largest units of it. */
void html_put_duration(struct text *out, uint64_t seconds);
/* "12 ms", "1.5 s" */
void html_put_ms(struct text *out, uint64_t ms);
/* "2026-11-29 05:20:31 UTC" within a time element. */
void html_put_time(struct text *out, int64_t seconds);
/* "1.5 GiB" */
void html_put_octets(struct text *out, uint64_t octets);

/* A section with its heading. `id` is its own on the page. */
void html_begin_section(struct text *out, const char *id, const char *title);
void html_end_section(struct text *out);

/* A table that may be scrolled sideways. `columns`: their headings, with a '#' before those of numbers; NULL ends
 * them. */
void html_begin_table(struct text *out, const char *name, const char *const *columns);
void html_end_table(struct text *out);
/* A cell with a number, and one with a bar that is `share` of full (0 to 1). */
void html_put_number_cell(struct text *out, uint64_t number);
void html_put_rate_cell(struct text *out, double rate);
void html_put_bar_cell(struct text *out, double share);
/* A cell with the mean of `count` times, 0 of none. */
void html_put_mean_cell(struct text *out, uint64_t sum_ms, uint64_t count);
/* A row's heading. */
void html_put_name_cell(struct text *out, struct span name);
void html_put_text_cell(struct text *out, struct span text);
/* A word that stands out: `kind` is "good", "warn", "bad" or "off". */
void html_put_badge(struct text *out, const char *kind, const char *word);

#define HTML_LINE_MAX 60
/* A line of up to HTML_LINE_MAX values, the oldest first; `what` says to those who do not see it what it shows. */
void html_put_line(struct text *out, const double *values, size_t count, const char *what);
