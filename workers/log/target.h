/* What the log is written to, and in which form: opened by whoever may wait for a disk, then the log writer's. */
#pragma once

#include "conf/snapshot.h"
#include "workers/log/line.h"

#define LOG_RENDERED_MAX (1 << 20) /* octets of the longest line with pseudonyms, and more than it can have */

struct log_target {
        int fd;
        bool has_priorities; /* "<6>" before each line, for a journal (sd-daemon(3)) */
        struct log_privacy privacy;
        struct pseudonym_keys keys;
        char *
            rendered; /* LOG_RENDERED_MAX octets for lines in their form; NULL: they are written as they come */
};

/* Opens the snapshot's log: stderr, or a file for appending. It reads the keys of pseudonyms anew, so that each
 * rotation of the log puts a new key in force. NULL, with the reason, a constant, when it cannot. */
struct log_target *log_open(const struct snapshot *snapshot, const char **ret_fault);
/* Lines go there as they are. Takes the descriptor over. NULL without memory. */
struct log_target *log_target_of(int fd);
/* NULL, or why no log can be written to what is open there, a constant. */
const char *log_file_fault(int fd);
/* Closes it. NULL is none. */
void log_target_free(struct log_target *target);

/* True when lines do not go there as they are. */
bool log_target_has_form(const struct log_target *target);
/* Appends the line, with its newline or cut off without it, in the form that it has there. */
void log_target_render(const struct log_target *target, struct span line, struct text *out);
