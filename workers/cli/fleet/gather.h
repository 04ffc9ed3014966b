/* The machines of a fleet, as they tell of themselves, and what is to be thought of it. */
#pragma once

#include "workers/senders/fleet/record.h"
#include "workers/senders/redis/machines.h"

#define FLEET_MACHINES_MAX ((size_t)SENDER_SHARES_MAX * REDIS_MACHINES_MAX)
#define FLEET_SILENT_S     30 /* who has told nothing for so long */

struct fleet_machine {
        char name[MACHINE_NAME_MAX]; /* where the record cannot be read: what it was found under, cut */
        const char *fault;           /* NULL: the record can be read */
        struct machine_record record;
        bool is_silent, is_ahead; /* is_ahead: its clock */
        bool is_other;            /* its configuration is not that of most */
};

struct fleet_view {
        int64_t now_s; /* since 1970 */
        struct fleet_machine *machines;
        size_t count, room;
        bool is_out_of_memory;
        /* Of fleet_view_judge(): */
        char common[CONFIGURATION_DIGEST_SIZE]; /* that most run; empty: no machine can be read */
        size_t configurations, silent, ahead, unreadable;
};

/* A redis_machine_visit: of several records of a machine the newest one stays. */
void fleet_view_add(void *view, struct span name, struct span record);
/* Sorts by name. */
void fleet_view_judge(struct fleet_view *view);
/* All run the same, and nothing is odd. */
bool fleet_view_is_well(const struct fleet_view *view);
void fleet_view_end(struct fleet_view *view);
