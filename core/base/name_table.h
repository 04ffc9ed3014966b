/* A set of octet strings, each with a number. It is built once, and then any thread may read it. It may hold
 * millions. */
#pragma once

#include "core/base/text.h"

struct name_table {
        char *octets; /* each name: length (2 octets, native), value (4 octets, native), the name */
        size_t octets_length, octets_size;
        uint32_t *slots; /* offset + 1 into octets in units of 1, 0: free; open addressing */
        uint32_t *hashes;
        size_t slot_count; /* power of two */
        size_t count;
};

/* Names are compared octet by octet, so the caller folds or normalises them. `name` has up to 65535 octets. A
 * name that is added again keeps its first value, and the result is true. False when memory is out, or all
 * names together have 4 GiB. */
bool name_table_add(struct name_table *table, struct span name, uint32_t value);
/* True when the name is in the table. ret_value may be NULL. */
bool name_table_find(const struct name_table *table, struct span name, uint32_t *ret_value);
/* Where a walk through a table is; begins with zero. */
struct name_table_walk {
        size_t offset;
};
/* The next name, in the order in which they were added; false when there is none. */
bool name_table_next(const struct name_table *table, struct name_table_walk *walk, struct span *ret_name);
/* Memory that it has. */
size_t name_table_octets(const struct name_table *table);
void name_table_end(struct name_table *table);
