/* A list of a DNS zone, held in memory: a table that never changes. It answers as rbldnsd(8) does. Nothing here
 * opens a file or reads a clock; builder.h says how a feed is made. */
#pragma once

#include "core/base/text.h"

struct feed;

#define FEED_RECORDS_MAX   32
#define FEED_ANSWER_OCTETS 4096

/* What there is of one type for a name. */
struct feed_answer {
        struct span records[FEED_RECORDS_MAX]; /* four octets, or the text */
        size_t count;
        char octets[FEED_ANSWER_OCTETS];
};
enum feed_type { FEED_ADDRESSES, FEED_TEXTS };

/* Looks up what stands in front of the zone in a question of DNS, such as "2.0.0.127", in lower case. False:
 * nothing. Any thread may ask at any time. */
bool feed_find(const struct feed *feed, struct span name, enum feed_type type,
               struct feed_answer *ret_answer);
uint64_t feed_entries(const struct feed *feed);
size_t feed_octets(const struct feed *feed);
/* From when on it is not to be used any more, by its own word; 0: it says nothing. */
int64_t feed_expires_s(const struct feed *feed);
/* NULL: nothing happens. */
void feed_free(struct feed *feed);
