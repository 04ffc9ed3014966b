/* Connections of one worker to one daemon that is asked by socketmap, and the questions to it in their order.
 *
 *      pool_ask ──> FIFO ──> a connection that is idle, or a new one ──> lookup->answered()
 *
 * A connection asks one question at a time, and is kept for the next one. One that the daemon has closed while it was
 * kept costs its question another try, once. A new connection that does not come about, or has no first answer in time,
 * makes all questions fail at once for a tenth of a second, twice that at the next time, and so on up to five seconds;
 * then one connection alone tries. So a dead daemon costs few connections, and nobody's time. Where the daemon ends a
 * new connection at its question, that alone fails, and the next one alone tries.
 *
 * While questions wait there is a connection, and each has a deadline that is no later than theirs. */
#pragma once

#include "core/base/count/counter.h"
#include "core/lookup/socketmap.h"
#include "workers/inbound/daemon/stream.h"

/* One question. Owner: whoever asks; it lives until it is answered. */
struct lookup {
        TAILQ_ENTRY(lookup) entry;
        struct span map, key; /* within the bounds of core/lookup/socketmap.h; as long as it lives */
        uint64_t due_ms;      /* monotonic */
        bool is_going_on;     /* its owner has asked before for the same purpose: it comes first */
        bool was_tried;
        /* Once. `text`: the value that was found; of FAILED why, with the daemon's own words where it said so. It may
         * free the lookup, and ask more. */
        void (*answered)(struct lookup *lookup, enum fact fact, struct span text);
};

struct pool_terms {
        uint64_t connect_ms;
        uint32_t links_max, waiting_max; /* at least 1 */
        _Atomic uint64_t *connections;   /* counts those that were begun */
};

struct pool;

/* A copy of the address is taken. NULL when memory is out. */
struct pool *pool_create(struct streams *streams, const struct daemon_address *address);
/* Closes all connections; questions are answered no more. */
void pool_destroy(struct pool *pool);
bool pool_is_of(const struct pool *pool, const struct daemon_address *address);
/* Nothing is open, nothing waits, and nobody is being told: it may be destroyed. */
bool pool_is_empty(const struct pool *pool);
/* NULL: answered() follows, and never from within. Else why the question cannot be asked. */
const char *pool_ask(struct pool *pool, const struct pool_terms *terms, struct lookup *lookup);
