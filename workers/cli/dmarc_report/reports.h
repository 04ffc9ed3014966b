/* From sorted lines to mails: the reports of all policy domains, one after the other. */
#pragma once

#include "workers/cli/dmarc_report/destination.h"
#include "workers/cli/dmarc_report/letter.h"

#define REPORTS_ROWS_MAX   10000             /* of one report */
#define REPORTS_OCTETS_MAX ((size_t)4 << 20) /* of the lines of its rows */
#define REPORTS_PARTS_MAX  8 /* reports about one domain and day; what is more is left out, and they say so */

/* Zero it, and set the first three. */
struct reports {
        const struct report_frame *frame;
        const char *folder; /* NULL: nothing is written */
        struct destination_look *look;
        /* What came of it. */
        uint64_t domains, reports, written, kept, failed;
        uint64_t silent_domains, silent_mails; /* without a destination that agrees */
        uint64_t mails, cut_mails;             /* told, and left out because there were too many rows */
        /* The domain under way. */
        struct span domain; /* part of `policy` */
        char *policy;       /* the last line of its policy; NULL: there is no domain */
        char *row;          /* the last row; NULL: none yet */
        uint64_t row_mails;
        bool is_settled; /* the destinations are known */
        struct destinations destinations;
        unsigned part;
        /* Of the report under way. */
        char *rows;
        size_t length, count;
};

/* Takes a line, without its newline, in the order of sort(1). False when memory is out. */
bool reports_take(struct reports *reports, const char *line);
/* The last domain is whole. */
void reports_finish(struct reports *reports);
/* Frees what it holds, and forgets what was not finished. */
void reports_end(struct reports *reports);
