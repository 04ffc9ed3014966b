/* The section about how long things take, and what waits for the disk. */
#pragma once

#include "workers/server/web/view.h"

void page_write_times(const struct web_view *view, struct text *out);
