/* What another configuration would answer, while one judges beside that in force. */
#pragma once

#include "workers/server/web/view.h"

void page_write_shadow(const struct web_view *view, struct text *out);
