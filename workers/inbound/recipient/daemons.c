/* Places for daemons. */
#include "workers/inbound/recipient/daemons.h"

static void leave(struct daemon *daemon)
{
        if (daemon->pool != NULL)
                pool_destroy(daemon->pool);
        daemon->pool = NULL;
}

static bool is_better_place(const struct daemon *daemon, const struct daemon *than)
{
        if (daemon->pool == NULL)
                return than == NULL || than->pool != NULL;
        return than == NULL && pool_is_empty(daemon->pool);
}

/* One of an earlier configuration makes room when nobody uses it. */
struct daemon *daemons_find(struct daemons *daemons, struct streams *streams,
                            const struct socketmap_daemon *wanted)
{
        struct daemon *place = NULL;

        for (struct daemon *daemon = daemons->at; daemon < daemons->at + SOCKETMAP_COUNTERS_MAX; daemon++) {
                if (daemon->pool != NULL && pool_is_of(daemon->pool, &wanted->address))
                        return daemon;
                if (is_better_place(daemon, place))
                        place = daemon;
        }
        if (place == NULL)
                return NULL;
        leave(place);
        *place = (struct daemon){.pool = pool_create(streams, &wanted->address)};
        span_copy_cut(wanted->name, place->name, sizeof place->name);
        return place->pool == NULL ? NULL : place;
}

void daemons_end(struct daemons *daemons)
{
        for (struct daemon *daemon = daemons->at; daemon < daemons->at + SOCKETMAP_COUNTERS_MAX; daemon++)
                leave(daemon);
}
