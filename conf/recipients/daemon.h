/* Endpoints, daemons of the site, and those that know who the recipients of a domain are. */
#pragma once

#include "core/base/address.h"

#define SOCKETMAPS_MAX         16
#define SOCKETMAP_COUNTERS_MAX 32 /* more than daemons, so that those that were there find theirs again */
#define SOCKETMAP_NAME_MAX     64 /* octets of a map's name, without blanks */
#define SOCKETMAP_PATH_MAX     107

struct endpoint {
        struct address address; /* all zero octets: any IPv6 (and not IPv4); 0.0.0.0: any IPv4 */
        uint16_t port;
};

static inline bool endpoint_equals(const struct endpoint *left, const struct endpoint *right)
{
        return left->port == right->port && address_equals(&left->address, &right->address);
}

/* Where a daemon of the site listens. */
struct daemon_address {
        const char *path; /* of a unix socket, absolute; NULL: at the endpoint */
        struct endpoint endpoint;
};

static inline bool daemon_address_equals(const struct daemon_address *left,
                                         const struct daemon_address *right)
{
        if (left->path != NULL || right->path != NULL)
                return left->path != NULL && right->path != NULL && strcmp(left->path, right->path) == 0;
        return endpoint_equals(&left->endpoint, &right->endpoint);
}

/* The path, if the address has one, is copied as well: into `path` of `room` octets, cut where it is longer. The copy
 * points to it there, and does not own it. */
static inline void daemon_address_copy(const struct daemon_address *address, struct daemon_address *ret_copy,
                                       char *path, size_t room)
{
        *ret_copy = *address;
        if (address->path == NULL)
                return;
        span_copy_cut(span_from(address->path), path, room);
        ret_copy->path = path;
}

/* Who says which recipients a domain has. */
enum recipient_origin {
        RECIPIENTS_HERE,         /* the snapshot */
        RECIPIENTS_AT_HOP,       /* the domain's next hops, by a callout */
        RECIPIENTS_AT_SOCKETMAP, /* a daemon, by Postfix's protocol socketmap */
        RECIPIENT_ORIGINS
};

/* A daemon that is asked by socketmap, however many domains and maps it has. */
struct socketmap_daemon {
        struct span name; /* "inet:127.0.0.1:8463" or "unix:/path"; terminated */
        struct daemon_address address;
        uint8_t count_index; /* of its counters; its name keeps them over reloads */
};
