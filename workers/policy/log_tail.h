/* Reads what is appended to the log, in pieces, across rotations. What is rotated away stays open as long as its file
 * has a name and there is room; so lines of it can still be read. */
#pragma once

#include "core/base/text.h"
#include "workers/policy/log_index.h"

#include <sys/types.h>

#define LOG_TAIL_FILES       4
#define LOG_TAIL_DESCRIPTORS (LOG_TAIL_FILES + 1) /* and the folder, at the start */
#define LOG_TAIL_START       ((uint64_t)64 << 20) /* octets of what was there before that are read, the newest */
#define LOG_TAIL_PIECE       ((size_t)1 << 20)    /* octets at a time; a longer line is none of ours */

struct log_tail_file {
        int fd;
        dev_t device;
        ino_t inode;
        uint32_t number; /* in places */
        uint64_t offset; /* of what has not been read */
};

/* Owner: one thread. */
struct log_tail {
        struct log_tail_file files[LOG_TAIL_FILES]; /* the oldest first; the last one is the log, or was */
        size_t count;                               /* 0: there is no file to read */
        uint32_t opened;                            /* so far */
        int error;    /* errno, when the log cannot be read; 0: it can, or is no file */
        char *octets; /* a piece; NULL: none was needed yet */
};

/* Is given each line, without its newline, and where it begins. */
typedef void log_tail_visit(void *context, struct span line, struct log_place place);

/* Reads a piece of what is new in the log at `path`; when there is no file, or it is not a plain one, nothing. It waits
 * for a disk only. True when there is more. */
bool log_tail_turn(struct log_tail *tail, const char *path, log_tail_visit *visit, void *context);
/* The line there, valid until the next call; empty when there is none. */
struct span log_tail_line(struct log_tail *tail, struct log_place place);
/* Closes all files, and forgets them. */
void log_tail_end(struct log_tail *tail);
