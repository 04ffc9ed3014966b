/* A table as JSON. */
#pragma once

#include "workers/cli/explain/force.h"
#include "workers/cli/explain/table.h"

/* An array with an object for each check, in the order of the table; the caller's. `deciding`: as for table_print(). */
json_t *table_json(const struct table *table, const char *deciding, const struct force *force);
