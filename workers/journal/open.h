/* The opening of a journal: its lock, what is in it, and where it goes on. */
#pragma once

#include "workers/journal/index.h"
#include "workers/journal/disk/store.h"
#include "workers/journal/disk/survey.h"

enum journal_opening {
        JOURNAL_OPENED,
        JOURNAL_IS_TAKEN,  /* another process has it */
        JOURNAL_IS_BROKEN, /* errno tells why */
};

struct journal_opening_report {
        uint64_t damaged; /* records that were acknowledged, or might have been, and are lost */
        uint64_t torn;    /* records of a batch that nobody was told of */
        uint64_t lost_segments;
};

/* Opens the folder, takes the lock, fills the index with what waits, saves what is damaged in a folder of that
 * name, and makes the store ready to go on. Blocks on the disk, for as long as it takes to read the journal. */
enum journal_opening journal_open(struct journal_store *store, const char *path, uint64_t segment_size,
                                  uint64_t size, struct journal_index *index,
                                  struct journal_opening_report *ret_report);
/* A visit of a survey: adds, moves and removes in the index, which is its context's. */
struct journal_loading {
        struct journal_index *index;
        bool is_out_of_memory;
        uint64_t damaged; /* records that are whole and make no sense */
};
void journal_load_record(void *context, const struct journal_part *part, const struct journal_found *found);
