/* Notices of other machines go into the ledger, which all threads share. */
#include "workers/server/fleet.h"

#include "core/senders/rate_notice.h"
#include "dns/clock.h"
#include "workers/senders/id_key.h"
#include "workers/server/server.h"

void fleet_hear(void *argument, struct span notice)
{
        const struct fleet *fleet = argument;
        struct published *published = publication_pin(fleet->publication, fleet->pinner);
        const struct options *options = &published->snapshot->options;

        if (options->client_rate_shared &&
            !rate_notice_hear(notice, fleet->ledger, options, clock_monotonic_ms(), clock_wall_ms()))
                sender_store_complain(fleet->senders, "sender_notice_unknown", "not what this version tells");
        publication_unpin(published, fleet->pinner);
}

bool fleet_open(struct server *server, const struct snapshot *snapshot)
{
        if (!sender_store_open(&server->senders, snapshot, server->worker_count, &server->log))
                return false;
        id_key_make(&server->senders, &server->id_key);
        /* The thread's pinner is the one behind the workers'. */
        server->fleet = (struct fleet){
            .publication = &server->publication,
            .pinner = server->worker_count,
            .ledger = &server->clients.ledger,
            .senders = &server->senders,
        };
        server->senders.hear = fleet_hear;
        server->senders.hearer = &server->fleet;
        return true;
}
