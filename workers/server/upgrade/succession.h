/* A server that takes over from another one (`gatepost upgrade`): it is started by that, gets its listening sockets,
 * and accepts only when that has left them. */
#pragma once

#include "conf/snapshot.h"
#include "workers/inbound/accept/inherited.h"

#include <sys/types.h>

struct server;

struct succession {
        int channel;        /* to the predecessor; -1: there is none, or it has been told all */
        int standard_error; /* what it is to be when we serve: until then the predecessor reads it */
        pid_t predecessor;  /* 0: there is none */
        uint32_t id_lane;
        char http_path[SOCKET_PATH_MAX + 1]; /* of the predecessor's unix socket; empty: there is none */
};

/* Takes what is ours out of what the process was started with. False, with the reason told, when the predecessor is
 * none that we understand. */
bool succession_begin(struct succession *succession, struct inherited_list *list);
/* Where there is one: all that may fail is done, and nobody is accepted. Returns when the predecessor has left its
 * listeners; or false, with the reason told, when it does not let us. */
bool succession_await(struct server *server, const struct snapshot *snapshot);
/* And that we serve. False when it has gone meanwhile. */
bool succession_confirm(struct server *server);
