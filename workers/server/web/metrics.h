/* /metrics: every row of every table of counters, and the state of the server, for Prometheus. */
#pragma once

#include "workers/server/web/view.h"

void metrics_write(const struct web_view *view, struct text *out);
