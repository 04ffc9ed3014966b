/* A feed is made of files that rbldnsd(8) reads as well, in pieces. Lines that are in error are passed over and
 * counted, as there; the report names the first of them. Where more than one line in a hundred is in error, where a
 * file cannot be meant for us, or where it needs more memory than it may have, no feed comes of it. */
#pragma once

#include "core/feed/feed.h"
#include "core/feed/format.h"

struct feed_builder;

#define FEED_FAULT_MAX   256
#define FEED_FAULTS_TOLD 4

struct feed_wish {
        enum feed_format format;
        bool lists_names;  /* domains, and not addresses; matters to plain lists */
        bool takes_faults; /* however many lines are in error */
        size_t memory_max;
        void *(*take_memory)(size_t octets); /* as malloc() does, for the tables of IPv4; NULL: malloc() */
        int64_t now_s;                       /* a list that comes out of the future is in error */
};

struct feed_report {
        uint64_t entries;
        uint64_t faults; /* lines passed over, and what broke it */
        char told[FEED_FAULTS_TOLD]
                 [FEED_FAULT_MAX]; /* "FILE:LINE: what is wrong"; the last one is that which broke it */
        size_t told_count;
        bool is_broken;
};

/* NULL when memory is out. */
struct feed_builder *feed_builder_create(const struct feed_wish *wish);
/* The next file begins. `name` is for complaints, and may say the format: of "sbl.ip4set" or "ip4set-sbl" it does. */
void feed_begin_file(struct feed_builder *builder, const char *name);
/* Reads on, a file in any pieces. False when nothing can come of it any more. */
bool feed_read(struct feed_builder *builder, struct span octets);
/* The file cannot be read to its end, or not at all. */
void feed_break(struct feed_builder *builder, const char *reason);
/* Ends the builder. NULL: the report says why. */
struct feed *feed_finish(struct feed_builder *builder, struct feed_report *ret_report);

/* Reads "ip4set". False when no format has that name. */
bool feed_format_parse(struct span name, enum feed_format *ret_format);
