/* What has grown since a minute and an hour ago, or since the start where that is less. */
#pragma once

#include "workers/server/web/samples.h"

struct growth {
        uint64_t minute, hour, start;
};

/* Of the number that stands there in a sample. */
struct growth growth_of(const struct samples *samples, size_t at);
/* Three cells of a table. */
void growth_put_cells(struct text *out, const struct growth *growth);
