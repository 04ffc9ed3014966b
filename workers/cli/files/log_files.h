/* The log and what a rotation has made of its earlier parts, compressed by gzip or not. */
#pragma once

#include "core/base/date.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct log_file {
        char *path;
        char time[DATE_TEXT_LENGTH + 5]; /* at which it begins, as the log writes it, to milliseconds */
        bool is_time_told;               /* by its first line; else it is that of its last change */
        /* As it was listed; inode 0: somebody has named it, and it is whatever has that name. */
        dev_t device;
        ino_t inode;
        off_t size;
};

struct log_files {
        struct log_file *files; /* the newest first */
        size_t count;
};

/* Lists `path` and the files beside it whose names go on after it with a dot or hyphen, such as log.1, log.2.gz
 * and log-20261128. False, with the reason on standard error, when there is none. */
bool log_files_find(struct log_files *files, const char *path);
/* The same of the option `log`, which may be "stderr": that is told, and false. */
bool log_files_configured(struct log_files *files, const char *log);
/* Due whatever became of it. */
void log_files_end(struct log_files *files);

/* Is given each line, terminated and without its newline. */
typedef void log_visit(void *context, const char *line);

enum log_file_result {
        LOG_FILE_WHOLE,
        LOG_FILE_PART,   /* the lines behind are lost */
        LOG_FILE_UNREAD, /* nothing of it could be read, or it is another one than was listed */
};

/* Reads it line by line. What cannot be read is told on standard error. `shows_progress`: there too, as a bar. A file
 * that a rotation has moved or emptied since it was listed is not read: its lines may be those of another. */
enum log_file_result log_file_read(const struct log_file *file, bool shows_progress, log_visit *visit,
                                   void *context);

/* How far somebody is who reads a file of the log: a bar on standard error, from the first second on. */
struct log_progress {
        const char *path;
        int64_t size;     /* of the file */
        uint64_t told_ms; /* monotonic: when it was told last; when it begins, now */
        bool is_shown;
};

/* `offset`: of the file, compressed or not. */
void log_progress_tell(struct log_progress *progress, int64_t offset);
/* All of it is read: fills the bar up and ends its line, if there is one. */
void log_progress_end(const struct log_progress *progress);
