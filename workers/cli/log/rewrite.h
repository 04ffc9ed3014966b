/* Rewrites a file of the log that is not written to any more, with pseudonyms. */
#pragma once

#include "workers/log/line.h"

enum rewrite_outcome {
        REWRITE_DONE,
        REWRITE_NOT_NEEDED, /* it has been done before */
        REWRITE_FAILED, /* the file is as it was, and *ret_fault says why, a constant or in static memory */
};

/* The new file takes the place of the old one at once when it is on disk, with its mode, owner and times, and
 * compressed if that is. Its first line is the event log_pseudonymised. Lines are as many as those of the old one and
 * that. `shows_progress`: on standard error, each second. */
enum rewrite_outcome rewrite_file(const char *path, const struct log_privacy *privacy, bool shows_progress,
                                  uint64_t *ret_lines, const char **ret_fault);
