/* Listening sockets. The main thread opens them; each is one acceptor's, or all workers share it where they
 * accept for themselves; the last one to leave closes. */
#pragma once

#include "conf/snapshot.h"

#include <stdatomic.h>

#define ENDPOINT_TEXT_MAX (ADDRESS_TEXT_MAX + 9) /* "[...]:65535" with a terminator */

struct listener {
        struct listener *next; /* owner: the main thread */
        struct endpoint endpoint;
        uint32_t number; /* of the sockets of this endpoint: the acceptor's */
        uint16_t port;   /* as bound: differs where the configuration says 0 */
        int fd;
        _Atomic bool needs_proxy_header;
        _Atomic uint32_t references;
};

/* A list of `count` sockets of one endpoint, among which the kernel divides the connections (SO_REUSEPORT);
 * none of another process can be among them. NULL with errno. One reference each, the opener's. */
struct listener *listeners_open(const struct endpoint *endpoint, bool needs_proxy_header, uint32_t count);
void listener_refer(struct listener *listener);
void listener_leave(struct listener *listener);
/* All of a list. */
void listeners_leave(struct listener *first);
/* "192.0.2.1:25", "[2001:db8::1]:25"; terminated. */
void endpoint_write(const struct address *address, uint16_t port, char ret_text[static ENDPOINT_TEXT_MAX]);
