/* Where in the log the reply with a reject id stands, for so many ids as there is room for: the oldest make room. Ids
 * are even by themselves, so each bucket fills up about as fast as any other. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_PLACE_FILES 16 /* numbers of files that a place can have */
#define LOG_PLACE_SIZE  16 /* octets of memory for each */

struct log_place {
        uint32_t file; /* below LOG_PLACE_FILES */
        uint64_t offset;
};

struct log_index_bucket;

struct log_index {
        struct log_index_bucket *buckets; /* NULL: there is no room for any */
        uint8_t *oldest;                  /* in each bucket, the place that makes room */
        uint64_t bucket_count;
};

/* For about `count` ids, which is more than 0. False when memory is out. */
bool log_index_init(struct log_index *index, uint64_t count);
void log_index_end(struct log_index *index);
void log_index_put(struct log_index *index, uint64_t id, struct log_place place);
/* False when it is not known. A place may be out of date: what stands there has to be looked at. */
bool log_index_find(const struct log_index *index, uint64_t id, struct log_place *ret_place);
