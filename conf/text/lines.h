/* Lists in files of their own, of which a line holds one entry; "#" at the beginning of a line or behind a blank begins
 * a comment. It knows nothing of what entries mean. */
#pragma once

#include "conf/complaints.h"

#define LINES_BUFFER_SIZE ((size_t)256 << 10) /* no line is longer */

struct lines {
        /* Takes one entry, which is lent. NULL, or what is wrong with it. */
        const char *(*take)(struct lines *lines, struct span entry);
        const char *path; /* for complaints */
        struct conf_complaints *complaints;
        /* Changes per line: */
        uint32_t line;   /* number of the last one */
        uint64_t octets; /* read so far */
        bool is_cut;     /* the last line has no end */
        unsigned told[COMPLAINT_NOTE + 1];
};

/* Reads one line without its end. */
void lines_read_one(struct lines *lines, struct span line);
/* Reads the file to its end, in `buffer` of LINES_BUFFER_SIZE. False, with errno, when reading fails. */
bool lines_read_file(struct lines *lines, int file, char *buffer);
/* Complains of an entry in the current line. Only the first of each kind are told. */
void lines_complain(struct lines *lines, enum complaint_kind kind, struct span entry, const char *message);
/* Tells how many complaints were left out. */
void lines_tell_rest(struct lines *lines);
