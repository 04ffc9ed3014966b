/* Leaving without anybody noticing: first balancers are told, then clients are sent away, then the server stops. All of
 * it is the main thread's. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct server;
struct control_job;

struct drain {
        uint64_t until_ms; /* the stage at hand lasts until then; see load.draining */
};

/* NULL, or why it was not done, a constant. */
const char *drain_begin(struct server *server, struct control_job *job);
const char *drain_undo(struct server *server, struct control_job *job);
/* Once a second: goes on with it. True: everybody has gone, or their time is over, and the server is to stop. */
bool drain_look(struct server *server);
/* Of the time that sessions have at a stop: what sending them away has left of it. */
uint64_t drain_time_left_ms(const struct server *server, uint64_t timeout_ms);
