/* Building a file of recipients for recipient_map_open(). It needs little memory, whatever the number of addresses:
 * they are sorted by sort(1), in files beside the new one. */
#pragma once

#include "conf/complaints.h"

struct recipient_build {
        const char *input; /* one address a line; NULL: standard input */
        const char *output;
        struct span
            domain; /* of lines that are local parts alone: A-labels, lower case; empty: they are errors */
        bool folds; /* local parts have no letter case */
        const char *memory; /* for sorting, as sort(1) takes it */
        /* Told now and then; NULL: nobody wants to know. `whole` is 0 where it is not known. */
        void (*progress)(const char *step, uint64_t done, uint64_t whole);
        /* What was built: */
        uint64_t count, domains, octets;
};

/* The file has the name `output` when all of it is on disk, and not before: whoever has mapped the one that had the
 * name keeps it. False, with errors among the complaints, when nothing was replaced. SIGPIPE must be ignored. */
bool recipients_build(struct recipient_build *build, struct conf_complaints *complaints);
