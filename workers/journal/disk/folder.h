/* The folder of a journal: its lock, and the files of its segments. A file is written with zeros once and then used
 * again and again: to overwrite blocks that were written costs a third less per sync than to fill new ones. All of this
 * blocks on the disk. Where a function fails, errno tells why. */
#pragma once

#include "workers/journal/disk/format.h"

/* A place for a segment's file. */
struct journal_slot {
        _Atomic int fd;              /* -1: there is no file */
        _Atomic uint64_t generation; /* 0: it was never used */
        /* Owner: the writer. */
        bool is_no_file; /* its name is that of something else, such as a folder */
        uint32_t spools; /* long messages in the making whose first piece is in it */
        bool
            is_unfit; /* a sync has failed, or it has another size: to be made anew before it is used again */
};

struct journal_folder {
        int fd;
        int lock;              /* -1: not held */
        uint64_t segment_size; /* whole blocks */
        uint32_t slots_max;    /* that may be made for mail */
        uint32_t slots_hard;   /* and for outcomes: one more, and an eighth */
        uint32_t slot_count;   /* with those of a larger journal, before it was made smaller */
        struct journal_slot *slots;
};

/* Opens the folder, or makes it unless it is to be read only, and the files that are there. It reads nothing. A
 * folder that is to be read only may be another process's at the same time. */
bool journal_folder_open(struct journal_folder *folder, const char *path, uint64_t segment_size,
                         uint64_t size, bool is_read_only);
void journal_folder_close(struct journal_folder *folder);
/* False with EWOULDBLOCK when another process has it. */
bool journal_folder_lock(struct journal_folder *folder);

/* Makes the file of this slot, which has none, durably. */
bool journal_slot_make(struct journal_folder *folder, uint32_t slot);
/* Removes the file. */
void journal_slot_remove(struct journal_folder *folder, uint32_t slot);
/* Moves what is there, and is no segment that counts, into the folder damaged/. */
void journal_slot_set_aside(struct journal_folder *folder, uint32_t slot);
/* Puts the header into the file, durably: what was in it is gone. */
bool journal_slot_begin(struct journal_folder *folder, uint32_t slot, const struct journal_segment *segment);
/* Reads the header, from the end of the file where that at its beginning is damaged. False when there is none, or
 * both are damaged; then *ret_is_empty tells whether all of both blocks is zero. */
bool journal_slot_header(const struct journal_folder *folder, uint32_t slot,
                         struct journal_segment *ret_segment, bool *ret_is_empty);
/* The file is shorter than its segment, which is never so where nobody has cut it. */
bool journal_slot_is_cut(const struct journal_folder *folder, uint32_t slot,
                         const struct journal_segment *segment);
/* Notes in each slot what its header says, for journal_slot_of(). */
void journal_folder_note_headers(struct journal_folder *folder);
/* Reads the whole segment. What cannot be read is zero. */
void journal_slot_read(const struct journal_folder *folder, uint32_t slot, char *octets, size_t size);
bool journal_write_exactly(int fd, const void *octets, size_t length, uint64_t offset);
bool journal_read_exactly(int fd, void *octets, size_t length, uint64_t offset);
/* The slot with this generation, or UINT32_MAX. */
uint32_t journal_slot_of(const struct journal_folder *folder, uint64_t generation);
/* Saves octets as a file damaged/NAME for the operator, if it is not there yet and there is room. */
void journal_folder_set_aside(const struct journal_folder *folder, const char *name, struct span octets);
