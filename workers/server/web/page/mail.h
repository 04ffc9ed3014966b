/* Sections about mail: how much of it, what was refused by which check, and who was. */
#pragma once

#include "workers/server/web/view.h"

void page_write_mail(const struct web_view *view, struct text *out);
