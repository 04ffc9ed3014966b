/* What two processes say to each other while one takes over from the other. The channel is a SOCK_SEQPACKET, and its
 * words hold for later versions, too.
 *
 *      predecessor                                  successor
 *      has it started, and greets it   ──greeting──>
 *      serves on                       <───READY────  has loaded and bound all; accepts nobody yet
 *      leaves its listeners            ─────GO─────>
 *      ends its sessions, and itself   <──SERVING───  accepts
 *
 * Whoever finds the channel closed before the last word is alone: the successor ends, and the predecessor serves on. */
#pragma once

#include "conf/snapshot.h"

#define CHANNEL_MAGIC "gatepost-1"

struct channel_greeting {
        char magic[16];
        uint32_t id_lane; /* the successor's, see ID_LANES */
        int32_t predecessor;
        char http_path[SOCKET_PATH_MAX + 1]; /* of its unix socket; empty: there is none */
};

enum channel_word { CHANNEL_READY = 'r', CHANNEL_GO = 'g', CHANNEL_SERVING = 's' };
