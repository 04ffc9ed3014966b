/* Listening sockets. The main thread opens them, acceptors share them, the last one to leave closes. */
#pragma once

#include "conf/snapshot.h"

#include <stdatomic.h>

#define ENDPOINT_TEXT_MAX (ADDRESS_TEXT_MAX + 9) /* "[...]:65535" with a terminator */

struct listener {
        struct listener *next; /* owner: the main thread */
        struct endpoint endpoint;
        uint16_t port; /* as bound: differs where the configuration says 0 */
        int fd;
        _Atomic bool needs_proxy_header;
        _Atomic uint32_t references;
};

/* NULL with errno. One reference, the opener's. */
struct listener *listener_open(const struct endpoint *endpoint, bool needs_proxy_header);
void listener_refer(struct listener *listener);
void listener_leave(struct listener *listener);
/* "192.0.2.1:25", "[2001:db8::1]:25"; terminated. */
void endpoint_write(const struct address *address, uint16_t port, char ret_text[static ENDPOINT_TEXT_MAX]);
