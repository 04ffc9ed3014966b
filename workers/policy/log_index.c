/* Buckets of places, each of which is filled in turn. */
#include "workers/policy/log_index.h"

#include <stdlib.h>

#define BUCKET_PLACES 32
#define FILE_BITS     4

struct stored_place {
        uint64_t id_and_file, offset;
};

struct log_index_bucket {
        struct stored_place places[BUCKET_PLACES];
};

_Static_assert(LOG_PLACE_FILES == 1 << FILE_BITS && sizeof(struct stored_place) == LOG_PLACE_SIZE,
               "as promised");

void log_index_end(struct log_index *index)
{
        free(index->buckets);
        free(index->oldest);
        *index = (struct log_index){0};
}

bool log_index_init(struct log_index *index, uint64_t count)
{
        uint64_t bucket_count = (count + BUCKET_PLACES - 1) / BUCKET_PLACES;

        /* Untouched pages of it cost nothing. */
        *index = (struct log_index){calloc(bucket_count, sizeof *index->buckets), calloc(bucket_count, 1),
                                    bucket_count};
        if (index->buckets != NULL && index->oldest != NULL)
                return true;
        log_index_end(index);
        return false;
}

/* An id that an earlier version gave, in the clear, is not even: it is stirred by Fibonacci hashing. */
static uint64_t bucket_of(const struct log_index *index, uint64_t id)
{
        uint64_t stirred = id * UINT64_C(0x9e3779b97f4a7c15);

        return (stirred >> 32) * index->bucket_count >> 32;
}

void log_index_put(struct log_index *index, uint64_t id, struct log_place place)
{
        uint64_t bucket = bucket_of(index, id);
        uint8_t at = index->oldest[bucket];

        index->buckets[bucket].places[at] =
            (struct stored_place){id << FILE_BITS | place.file % LOG_PLACE_FILES, place.offset};
        index->oldest[bucket] = (uint8_t)((at + 1) % BUCKET_PLACES);
}

/* The newest first. A place that is empty looks like one of the id 0, which is out of date then. */
bool log_index_find(const struct log_index *index, uint64_t id, struct log_place *ret_place)
{
        if (index->buckets == NULL)
                return false;
        uint64_t bucket = bucket_of(index, id);
        for (size_t i = 1; i <= BUCKET_PLACES; i++) {
                size_t at = (index->oldest[bucket] + BUCKET_PLACES - i) % BUCKET_PLACES;
                struct stored_place stored = index->buckets[bucket].places[at];
                if (stored.id_and_file >> FILE_BITS == id) {
                        *ret_place = (struct log_place){stored.id_and_file % LOG_PLACE_FILES, stored.offset};
                        return true;
                }
        }
        return false;
}
