/* Next hops, where there are some. */
#pragma once

#include "workers/server/web/view.h"

void page_write_hops(const struct web_view *view, struct text *out);
