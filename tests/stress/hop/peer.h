/* A next hop that plays a script: what it says, and what it is to be told. */
#pragma once

#include "conf/value/next_hop.h"

#include <pthread.h>

#define PEER_TEXT_MAX ((size_t)8 << 20)

/* Of a script each line is a step:
 *   S: LINE   says this
 *   C: START  is told a line that starts so
 *   T:        is told a text, to its dot
 *   O: N      is told so many octets at least, and leaves them unread
 *   W:        waits until peer_go_on()
 *   X:        closes, and takes the next connection, whose script goes on here
 *   E:        is closed by the other side, and takes the next connection
 *   L:        speaks TLS from now on, as a server with a certificate that nobody has signed
 * What it is told otherwise breaks the test. */
struct peer {
        const char *script;
        int listener;
        pthread_t thread;
        struct next_hop hop;
        _Atomic uint32_t connections; /* that it has taken */
        _Atomic uint32_t steps;       /* that it has played */
        _Atomic uint32_t permits;
        size_t text_length; /* of the last text */
        char *text;
};

/* It listens when this returns. */
void peer_begin(struct peer *peer, enum hop_protocol protocol, const char *script);
void peer_go_on(struct peer *peer);
/* Waits until so many steps of its script are done. */
void peer_await(const struct peer *peer, uint32_t steps);
/* Waits until its script is at its end. */
void peer_end(struct peer *peer);
/* An address where nobody listens. */
struct next_hop peer_nobody(enum hop_protocol protocol);
