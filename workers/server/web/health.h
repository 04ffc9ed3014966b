/* /health and /ready: whether the process turns, and whether it can judge mail. Both are looked at once a second; a
 * request only reads what was seen then. Owner: the thread of HTTP. */
#pragma once

#include "workers/server/overseer/overseer.h"
#include "workers/server/web/resolver_watch.h"

#define HEALTH_FAULTS_MAX 512

/* What is wrong, as a JSON list; of many faults the first. */
struct health_faults {
        struct text text;
        char octets[HEALTH_FAULTS_MAX];
};

struct health {
        struct health_faults health, readiness;
        struct resolver_watch resolvers;
};

struct health_parts {
        const struct overseer *overseer;
        const struct worker *workers;
        uint32_t worker_count;
        const struct endpoint_list *resolvers; /* of the snapshot in force */
};

void health_look(struct health *health, const struct health_parts *parts, uint64_t now_ms);
/* True when there is no fault. */
bool health_is_well(const struct health *health);
bool readiness_is_well(const struct health *health);
/* Write a JSON object, and say whether all is well. `leaving`: "stopping" or "draining", which is known at once; NULL:
 * neither. */
bool health_write(const struct health *health, struct text *out);
bool readiness_write(const struct health *health, const char *leaving, struct text *out);
void health_end(struct health *health);
