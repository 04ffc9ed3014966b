/* What becomes of an accepted socket: refused for its client's other sessions, or the begin of a session. */
#pragma once

#include <sys/socket.h>

#include "workers/inbound/acceptor.h"

/* Takes over the socket. */
void acceptor_admit(struct acceptor *acceptor, const struct snapshot *snapshot,
                    const struct listener *listener, int fd, const struct sockaddr *client);
