/* Reads a message back, whole or not at all. It blocks on the disk, and any thread may call it, as long as the
 * message's generation is needed. */
#pragma once

#include "workers/journal/disk/folder.h"

enum journal_read {
        JOURNAL_READ_DONE,
        JOURNAL_READ_DAMAGED, /* a part of it is not as it was written, or cannot be read */
        JOURNAL_READ_NO_MEMORY,
};

/* A record in memory of its own, which is to be freed with free(). */
struct journal_copy {
        char *octets;
        struct journal_head head;
        struct span body;
};

enum journal_read journal_read_record(const struct journal_folder *folder, uint64_t generation,
                                      uint32_t offset, struct journal_copy *ret_copy);
/* The message at this place. Its spans lie in the copy, but for the text: all of that is appended to `content`, which
 * is the caller's to release in any case. */
enum journal_read journal_read_message(const struct journal_folder *folder, const struct journal_place *place,
                                       struct content_pool *pool, struct journal_copy *ret_copy,
                                       struct journal_message *ret_message, struct content *content);
/* The states of its recipients go to `states`, as many as it has. `place` is that of the last outcome, or nowhere. */
enum journal_read journal_read_states(const struct journal_folder *folder, const struct journal_place *place,
                                      uint8_t *states, uint32_t count);
