/* The files of a feed: which there are, whether they have changed, and the table that comes of them. */
#pragma once

#include "conf/snapshot.h"
#include "core/feed/builder.h"

/* Of all files together. */
struct feed_stamp {
        uint64_t digest; /* of their names, sizes and times: another one when any has changed */
        uint64_t files;
        int64_t made_s; /* when the youngest was written */
};

/* Looks which files there are that one of the patterns (glob(7)) means. */
void feed_files_look(const struct text_list *patterns, struct feed_stamp *ret_stamp);
/* Reads them all, gzip(1) or not, in the order of the patterns, and of one by name. NULL: the report says why; also
 * where a file has changed meanwhile, where a pattern means none, and when it was given up meanwhile (NULL: never). */
struct feed *feed_files_load(const struct text_list *patterns, const struct feed_wish *wish,
                             const _Atomic bool *gives_up, struct feed_report *ret_report,
                             struct feed_stamp *ret_stamp);
