/* Reads a whole journal: its records in their order, what of it is damaged, and where it ends. It writes nothing, so
 * that it may read the journal of a server that runs. It blocks on the disk. */
#pragma once

#include "workers/journal/disk/folder.h"
#include "workers/journal/disk/scan.h"

/* Octets that are no record, in place of so many. */
struct journal_damage {
        uint32_t slot, offset, length;
        uint64_t generation;
        uint64_t first, last; /* sequences that are missing */
};

struct journal_part {
        uint32_t slot;
        struct journal_segment segment;
        bool is_twin; /* another file has the same segment, and more of it */
        uint64_t
            end_sequence; /* of the next segment's records the first: from there on they are void; 0: no next */
};

struct journal_survey {
        struct journal_part *parts; /* needed segments, the oldest first; behind them twins */
        size_t part_count, twin_count;
        uint64_t newest;        /* generation of any header; 0: there is none */
        uint64_t lost_segments; /* files that are none: their headers are gone, or they are twins */
        uint64_t cut_segments;  /* needed ones that end too soon: nobody knows what stood there */
        uint64_t records;       /* that are whole */
        uint64_t sequence;      /* of the last of them; a mark that is to be overwritten does not count */
        uint64_t settled;       /* up to here all was durable, and told so */
        uint32_t end;           /* where the last segment's records end, at such a mark or before a block */
        struct journal_damage *damages;
        size_t damage_count;
        bool is_out_of_memory;
};

/* Gets a whole record. Spans are valid during the call. */
typedef void journal_visit(void *context, const struct journal_part *part, const struct journal_found *found);

/* False with errno when memory is out, or a header says what no other says. The survey is to be ended in any case. */
bool journal_survey_run(struct journal_survey *survey, const struct journal_folder *folder,
                        journal_visit *visit, void *context);
/* True when the missing records were acknowledged; else the write of their batch was torn. */
bool journal_damage_is_loss(const struct journal_survey *survey, const struct journal_damage *damage);
void journal_survey_end(struct journal_survey *survey);
