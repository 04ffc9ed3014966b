/* The upgrade without an end of service: this process has a successor started, its own program as the file is now, and
 * hands the listening sockets over when that is ready. A successor that does not come up changes nothing. All of it is
 * the main thread's. */
#pragma once

#include "workers/process/launch/launcher.h"

#include <stdbool.h>
#include <stdint.h>

/* What whoever asks this process for more is told then. */
#define UPGRADE_TAKEN_OVER "another process has taken over, and listens at the same path"

struct server;
struct snapshot;
struct control_job;

struct upgrade {
        struct launcher launcher;
        pid_t successor;   /* that has taken over; 0: none has */
        uint64_t until_ms; /* then: open sessions are served until this moment */
        char reason[256];  /* of the last one that has failed */
};

/* Before the sandbox closes: starts the launcher where the options want one. */
void upgrade_prepare(void *server, struct snapshot *snapshot);
/* The order. NULL, or why nothing has changed. */
const char *upgrade_obey(struct server *server, struct control_job *job);
/* Once a second. True: a successor serves, and our sessions have ended, or their time is over. */
bool upgrade_is_over(struct server *server);
