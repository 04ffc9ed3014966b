/* The journal, where there is one. */
#pragma once

#include "workers/server/web/view.h"

void page_write_journal(const struct web_view *view, struct text *out);
