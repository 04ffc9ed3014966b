/* What this machine tells its fleet of itself, where the store of senders is Redis: which configuration it has in force
 * since when, and what came of it. Owner: the main thread. */
#pragma once

#include "workers/senders/fleet/record.h"

struct server;

/* Zero at the start. */
struct machine {
        uint64_t due_ms;              /* of the next record */
        uint64_t reloads;             /* that the last one knew of */
        uint64_t generation;          /* the same */
        struct machine_counts before; /* what was counted when that came into force */
        bool is_succeeded;            /* by a process that tells of itself, and by that of this machine */
};

/* Once a second: a record is made when one is due, and after each reload. */
void machine_look(struct server *server);
