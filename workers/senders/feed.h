/* What the machines of a fleet tell each other: notices in a stream of Redis, which each reads a few times a
 * second from where it stopped. At its start a machine hears what is still in the stream. */
#pragma once

#include "workers/senders/store.h"

#include <hiredis/async.h>

#define STATE_FEED_NAME_MAX 80

struct state_feed {
        /* Fixed. */
        struct state_store *store;
        char stream[STATE_FEED_NAME_MAX];
        char origin[17]; /* marks our own */

        char last_id[64]; /* of what was heard */
        bool is_asked;    /* and has not been answered */
        uint64_t asked_ms, ask_at_ms;
};

void state_feed_init(struct state_feed *feed, struct state_store *store, const char *prefix);
/* The commands of one connection: to tell what the job holds, `done` as with all jobs; and to hear, if it is
 * time for that. False: the connection is of no use. */
bool state_feed_tell(const struct state_feed *feed, redisAsyncContext *context, const struct state_job *job,
                     redisCallbackFn *done);
bool state_feed_listen(struct state_feed *feed, redisAsyncContext *context);
/* Until there is something to do. */
uint64_t state_feed_wait_ms(const struct state_feed *feed, uint64_t now_ms);
