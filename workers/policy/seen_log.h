/* The refusals that the log has, by their ids, as far as there is room for their places in memory. */
#pragma once

#include "core/base/ids/ids.h"
#include "workers/policy/log_tail.h"

#include <jansson.h>

/* Owner: one thread. All zero at first. */
struct seen_log {
        uint64_t count; /* of ids, about; 0: none is wanted, or there is no memory for so many */
        struct log_index index;
        struct log_tail tail;
};

/* Reads a piece of what is new in the log; see log_tail_turn(). `path`: as the option `log`. `count`: for how many ids
 * there is to be room. True when there is more to be read. */
bool seen_log_turn(struct seen_log *seen, const char *path, uint64_t count);
/* True when there is a file to look into. */
bool seen_log_is_open(const struct seen_log *seen);
/* The line that has the reply with this id, as the id is read by id_read(); the caller's to release. NULL: it is not
 * known, or not any more. */
json_t *seen_log_find(struct seen_log *seen, const char id[static ID_TEXT_SIZE]);
void seen_log_end(struct seen_log *seen);
