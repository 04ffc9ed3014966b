/* The log and what a rotation has made of its earlier parts, compressed by gzip or not. */
#pragma once

#include "core/base/date.h"

#include <stdbool.h>
#include <stddef.h>

struct log_file {
        char *path;
        char time[DATE_TEXT_LENGTH + 5];
        /* at which it begins, as the log writes it, to milliseconds */ /* since 1970 */
};

struct log_files {
        struct log_file *files; /* the newest first */
        size_t count;
};

/* Lists `path` and the files beside it whose names go on after it with a dot or hyphen, such as log.1, log.2.gz
 * and log-20261128. False, with the reason on standard error, when there is none. */
bool log_files_find(struct log_files *files, const char *path);
void log_files_end(struct log_files *files);

/* Is given each line, terminated and without its newline. */
typedef void log_visit(void *context, const char *line);

/* Reads it line by line. What cannot be read is told on standard error; false when nothing of it could be. */
bool log_file_read(const struct log_file *file, log_visit *visit, void *context);
