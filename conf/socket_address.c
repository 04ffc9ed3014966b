/* Addresses of sockets. */
#include "conf/socket_address.h"

#include <netinet/in.h>

bool address_from_socket(const struct sockaddr *socket_address, struct address *ret_address,
                         uint16_t *ret_port)
{
        if (socket_address->sa_family == AF_INET) {
                const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)socket_address;
                *ret_address = address_of_ipv4((const uint8_t *)&in->sin_addr);
                *ret_port = ntohs(in->sin_port);
                return true;
        }
        if (socket_address->sa_family == AF_INET6) {
                const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)socket_address;
                memcpy(ret_address->octets, &in6->sin6_addr, 16);
                *ret_port = ntohs(in6->sin6_port);
                return true;
        }
        return false;
}

socklen_t address_to_socket(const struct address *address, uint16_t port,
                            struct sockaddr_storage *ret_storage)
{
        memset(ret_storage, 0, sizeof *ret_storage);
        if (address_is_ipv4(address)) {
                struct sockaddr_in *in = (struct sockaddr_in *)(void *)ret_storage;
                in->sin_family = AF_INET;
                in->sin_port = htons(port);
                memcpy(&in->sin_addr, address->octets + 12, 4);
                return sizeof *in;
        }
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)ret_storage;
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(port);
        memcpy(&in6->sin6_addr, address->octets, 16);
        return sizeof *in6;
}
