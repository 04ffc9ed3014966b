/* The second half of /metrics: what is no counter of a table. */
#pragma once

#include "workers/server/web/view.h"

void metrics_write_state(const struct web_view *view, struct text *out);
