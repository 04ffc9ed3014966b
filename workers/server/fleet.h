/* What other machines of a fleet tell of clients. */
#pragma once

#include "core/senders/ledger.h"
#include "workers/senders/store.h"
#include "workers/thread/publication.h"

struct server;

/* What the store's thread needs to make use of a notice; all of it outlives the thread. */
struct fleet {
        struct publication *publication;
        uint32_t pinner; /* that the thread is */
        const struct ledger *ledger;
        struct sender_store *senders;
};

/* In the store's thread, registered with RCU. `fleet`: struct fleet. */
void fleet_hear(void *fleet, struct span notice);
/* At the start: opens the store of senders, which hears of other machines. False, with the reason told. */
bool fleet_open(struct server *server, const struct snapshot *snapshot);
