/* The mails of a day, from files of the log to sort(1). */
#pragma once

#include "conf/recipients/build/sorter.h"
#include "workers/cli/dmarc_report/entry.h"
#include "workers/cli/files/log_files.h"

#define GATHER_POLICIES 65536 /* a power of two */

/* Zero it, and set the day and the sorter. */
struct gathering {
        char day[11];           /* "2026-11-28", in UTC */
        struct sorter *sorter;  /* begun */
        bool shows_progress;    /* on standard error */
        bool is_incomplete;     /* something of a file could not be read */
        uint64_t lines;         /* of that day */
        uint64_t damaged_lines; /* of any day */
        uint64_t mails[ENTRY_RESULTS];
        uint64_t policies
            [GATHER_POLICIES]; /* digests of those that the sorter has, so that it gets few of them twice */
        struct entry entry;
};

/* The files of a log and its rotation that may have lines of the day, the oldest first. */
void gather_rotated(struct gathering *gathering, const struct log_files *files);
/* One file, whatever its name. */
void gather_file(struct gathering *gathering, const struct log_file *file);
