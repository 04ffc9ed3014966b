/* Addresses in the form that sockets take; conf/ is the lowest layer that sees some. */
#pragma once

#include "core/base/address.h"

#include <sys/socket.h>

/* false for families other than AF_INET and AF_INET6. */
bool address_from_socket(const struct sockaddr *socket_address, struct address *ret_address,
                         uint16_t *ret_port);
/* Length for bind() and connect(); IPv4 becomes AF_INET. */
socklen_t address_to_socket(const struct address *address, uint16_t port,
                            struct sockaddr_storage *ret_storage);
