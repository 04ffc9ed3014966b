/* Counts of a time that all clients share the beginning of. */
#include "workers/http/limit.h"

#include "core/base/expect.h"

#include <sys/random.h>

#define ROW_SIZE 4096 /* counts */

bool http_limit_init(struct http_limit *limit)
{
        uint64_t key;

        expect(getrandom(&key, sizeof key, 0) == sizeof key);
        limit->end_ms = 0;
        return sketch_init(&limit->counts, ROW_SIZE, key);
}

void http_limit_end(struct http_limit *limit)
{
        sketch_end(&limit->counts);
}

bool http_limit_is_over(struct http_limit *limit, const struct rate *rate, const struct address *client,
                        uint64_t now_ms)
{
        if (now_ms >= limit->end_ms) {
                sketch_clear(&limit->counts);
                limit->end_ms = now_ms + rate->window_ms;
        }
        return rate->events > 0 &&
               sketch_add(&limit->counts, sketch_hash(&limit->counts, client,
                                                      address_is_ipv4(client) ? 128 : 64)) > rate->events;
}
