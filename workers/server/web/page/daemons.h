/* Programs that are asked about mail and its senders, where there are some. */
#pragma once

#include "workers/server/web/view.h"

/* Milters and policy services. */
void page_write_filters(const struct web_view *view, struct text *out);
/* Those that know recipients. */
void page_write_recipient_daemons(const struct web_view *view, struct text *out);
/* The Redis of the store of senders. */
void page_write_senders(const struct web_view *view, struct text *out);
