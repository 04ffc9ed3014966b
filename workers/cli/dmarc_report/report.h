/* A report of DMARC as XML (RFC 9990), compressed by gzip. */
#pragma once

#include "conf/snapshot.h"
#include "workers/cli/dmarc_report/entry.h"

#define REPORT_ID_LENGTH 32

/* Who reports, and on what day. */
struct report_frame {
        const struct options *options;
        int64_t begin_s; /* of the day, since 1970 */
};

struct report {
        const struct report_frame *frame;
        struct span domain;
        struct span policy; /* a line of entries, with all its fields */
        struct span
            rows; /* lines of rows, each with a newline, and in front of it the count of its mails and a tab */
        unsigned part; /* of those about this domain and day, from 1 on */
        bool is_cut;   /* rows are left out behind these */
        char id[REPORT_ID_LENGTH + 1];
};

/* The day's last second. */
int64_t report_end_s(const struct report_frame *frame);
/* The same id for the same receiver, domain, day and part. */
void report_set_id(struct report *report);
/* Octets that the caller frees; the same for the same report. NULL: memory is out. */
char *report_pack(const struct report *report, size_t *ret_length);
/* "RECEIVER!DOMAIN!BEGIN!END!ID.xml.gz" */
void report_put_file_name(struct text *text, const struct report *report);
