/* Walks through the records of a segment that lies in memory. It trusts nothing that it reads. */
#pragma once

#include "workers/journal/disk/format.h"

enum journal_scan_result {
        JOURNAL_SCAN_RECORD,
        JOURNAL_SCAN_DAMAGE, /* something is not readable, and goes to where the next record begins */
        JOURNAL_SCAN_END,    /* no record begins from here on */
};

struct journal_scan {
        struct span octets; /* the whole segment */
        const struct journal_segment *segment;
        uint32_t at;
        uint64_t sequence; /* of the last record whose head was whole */
};

struct journal_found {
        struct journal_head head; /* of a record, and of one whose body is damaged; else its span is 0 */
        struct span body;         /* of a record */
        uint32_t offset, length;
};

void journal_scan_begin(struct journal_scan *scan, struct span octets, const struct journal_segment *segment);
enum journal_scan_result journal_scan_next(struct journal_scan *scan, struct journal_found *ret_found);
