/* What is counted of each next hop, of all hop threads together. */
#pragma once

#include "workers/hop/figures.h"
#include "workers/server/web/view.h"

/* Returns how many next hops there are in `sums`, by their names; that of all others is the last one, and has been
 * needed where all places before it are taken. */
size_t hops_sum(const struct web_view *view, struct figures_sum sums[static FIGURES_MAX + 1]);
void metrics_write_hops(const struct web_view *view, struct text *out);
