/* The end of a journal: records are put into a batch, and a commit writes the batch and makes it durable by one sync.
 * It belongs to one thread, the writer. A batch that failed has never been: its segment gets no further record, the
 * sync is not tried again, and its numbers are given anew. */
#pragma once

#include "workers/journal/disk/folder.h"

#include <sys/uio.h>

struct journal_store {
        struct journal_folder folder;
        /* The oldest generation that is needed. Written by whoever settles messages, and never lowered. */
        _Atomic uint64_t first_live;

        /* Owner: the writer. */
        bool is_open;   /* there is a segment to write to */
        bool is_marked; /* a mark stands behind the last record */
        uint32_t slot;
        struct journal_segment segment;
        uint64_t newest;   /* generation that was given last */
        uint32_t position; /* where the batch begins */
        uint64_t sequence; /* that was given last */
        uint64_t settled;  /* up to here all is durable */
        uint32_t spools;   /* of all slots */
        /* The batch. */
        struct iovec *pieces;
        int piece_count;
        uint8_t *octets; /* heads, envelopes and padding */
        uint32_t used;
        uint32_t length;
        uint8_t *last_at;
        struct journal_head last;
        struct XXH3_state_s *checksum; /* in the making */
};

/* Text on its way into records. */
struct journal_cursor {
        const struct content_block *block;
        size_t offset; /* in the block */
        size_t left;
};

enum journal_put {
        JOURNAL_PUT_DONE,
        JOURNAL_PUT_FULL_BATCH,   /* commit, and put it again */
        JOURNAL_PUT_FULL_SEGMENT, /* the same, behind journal_store_advance() */
};

/* The folder is opened by the caller. False when memory is out. */
bool journal_store_init(struct journal_store *store);
/* Closes the folder, too. */
void journal_store_end(struct journal_store *store);
/* Goes on behind this record of a segment whose last commit was whole. */
void journal_store_resume(struct journal_store *store, uint32_t slot, const struct journal_segment *segment,
                          uint32_t position);

/* Where a body is to be written, all but the text; NULL when the batch is full. It has room for the largest
 * envelope. */
struct text *journal_store_body(struct journal_store *store, struct text *text);
/* Puts a record with this body, which journal_store_body() gave room for, and `length` octets of text. The cursor
 * moves on. The blocks are read by the commit. Its place and number go to ret_place and ret_sequence. */
enum journal_put journal_store_put(struct journal_store *store, enum journal_kind kind,
                                   const struct text *body, struct journal_cursor *cursor, size_t length,
                                   struct journal_place *ret_place, uint64_t *ret_sequence);
/* Writes the batch and syncs. An empty batch is always durable. False with errno: none of the batch is there. */
bool journal_store_commit(struct journal_store *store);
/* Begins a segment, for outcomes also one beyond the journal's size. False with errno: ENOSPC, too, when that is
 * reached; then *ret_is_bound. */
bool journal_store_advance(struct journal_store *store, bool is_order, bool *ret_is_bound);
/* A free segment has its file, made now if need be: a full disk cannot keep outcomes from it. False with errno. */
bool journal_store_has_spare(struct journal_store *store);
/* Makes a file where no segment is free for the next advance and one more may be made. */
void journal_store_prepare(struct journal_store *store);
/* Says that all before is whole; durably, if so wanted. */
void journal_store_mark(struct journal_store *store, bool is_durable);
/* The oldest generation with the first piece of a message in the making; or the newest one. */
uint64_t journal_store_spools_first(const struct journal_store *store);
/* Segments that the next advances would find. */
uint32_t journal_store_free_segments(const struct journal_store *store);
