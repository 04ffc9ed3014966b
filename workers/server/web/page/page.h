/* The status page: what an operator wants to see first, without a script and without anything from elsewhere. Its
 * sections stand in files of their own. */
#pragma once

#include "workers/server/web/view.h"

void page_write(const struct web_view *view, struct text *out);
