/* Notices of other machines go into the ledger, which all threads share. */
#include "workers/server/fleet.h"

#include "core/senders/rate_notice.h"

#include <time.h>

void fleet_hear(void *argument, struct span notice)
{
        struct server *server = argument;
        uint32_t pinner = fleet_pinner(server);
        struct published *published = current_pin(&server->current, pinner);
        const struct options *options = &published->snapshot->options;
        struct timespec wall;

        clock_gettime(CLOCK_REALTIME, &wall);
        if (options->client_rate_shared &&
            !rate_notice_hear(notice, &server->ledger, options, state_now_ms(),
                              (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000))
                state_store_complain(&server->state, "state_notice_unknown", "not what this version tells");
        current_unpin(published, pinner);
}
