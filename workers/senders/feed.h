/* What the machines of a fleet tell each other. Their notices are in a stream of Redis, and each machine
 * reads it a few times a second from where it stopped. At its start a machine hears what is still in the
 * stream. Of one that a reload adds it hears what comes from then on. */
#pragma once

#include "workers/senders/store.h"

#include <hiredis/async.h>

#define SENDER_FEED_NAME_MAX 80

struct sender_feed {
        /* Fixed. */
        struct sender_store *store;
        struct sender_trouble *trouble;
        char stream[SENDER_FEED_NAME_MAX];

        char last_id[64]; /* of what was heard */
        bool is_in_force; /* and so hears */
        bool is_asked;    /* and has not been answered */
        uint64_t asked_ms, ask_at_ms;
};

void sender_feed_init(struct sender_feed *feed, struct sender_store *store, struct sender_trouble *trouble,
                      const char *prefix);
/* From now on it hears: what comes after that which another one of the same instance has heard, which is to end; or
 * without such a one all that there is, or after a reload what is told from now on. */
void sender_feed_begin(struct sender_feed *feed, const struct sender_feed *former, bool is_reload);
/* It hears no more, also not what it has asked for. */
void sender_feed_end(struct sender_feed *feed);
/* These send commands on one connection: the first tells what the job holds, with `done` as for all jobs; the
 * second asks for what is new, if it is time for that. False when the connection is of no use. */
bool sender_feed_tell(const struct sender_feed *feed, redisAsyncContext *context,
                      const struct sender_job *job, redisCallbackFn *done);
bool sender_feed_listen(struct sender_feed *feed, redisAsyncContext *context);
/* Returns the milliseconds until there is something to do. */
uint64_t sender_feed_wait_ms(const struct sender_feed *feed, uint64_t now_ms);
