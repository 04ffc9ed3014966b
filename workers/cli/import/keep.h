/* Memory of an import: all of it ends together. Who runs out of it is told so, and the program ends: it is a
 * command, and nothing is lost. */
#pragma once

#include "core/base/arena.h"

struct keep {
        struct block_pool pool;
        struct arena arena;
};

void keep_init(struct keep *keep);
void keep_end(struct keep *keep);
/* A zeroed piece. */
void *keep_take(struct keep *keep, size_t size);
/* A terminated copy. */
struct span keep_span(struct keep *keep, struct span text);
/* The same in lower case, as far as it is ASCII. */
struct span keep_lower(struct keep *keep, struct span text);
/* What printf() would say, terminated. */
struct span keep_format(struct keep *keep, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* For "%.*s". */
#define SPAN_ARG(span) (int)(span).length, (span).at
