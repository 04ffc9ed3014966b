/* Sections about the server: DNS, threads, times, certificates, the configuration. */
#pragma once

#include "workers/server/web/view.h"

void page_write_state(const struct web_view *view, struct text *out);
