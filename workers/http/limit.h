/* How often a client may ask, in memory of fixed size. Owner: the thread of HTTP. */
#pragma once

#include "conf/snapshot.h"
#include "core/base/sketch.h"

struct http_limit {
        struct sketch counts; /* of the time that began last; no row: nobody is counted */
        uint64_t end_ms;      /* of that time, monotonic */
};

/* False when memory is out. */
bool http_limit_init(struct http_limit *limit);
void http_limit_end(struct http_limit *limit);
/* Counts the question. True when the client, an IPv4 address or an IPv6 /64, has asked more often than `rate` within
 * its time. Clients may be taken for each other, if seldom; a rate without events is none. */
bool http_limit_is_over(struct http_limit *limit, const struct rate *rate, const struct address *client,
                        uint64_t now_ms);
