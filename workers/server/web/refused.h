/* Which networks are refused most, about over the last hour: the heaviest of all, in memory of fixed size
 * (space-saving, Metwally, Agrawal and El Abbadi 2005). Sessions and acceptors only note who was refused
 * (core/base/count/recent.h); it is counted here, once a second. Owner: the thread of HTTP. */
#pragma once

#include "core/base/count/recent.h"

#define REFUSED_PLACES  256
#define REFUSED_SOURCES 160 /* workers and acceptors, at most */

struct refused_network {
        struct network network;
        double count;
        double surplus; /* of the count, at most: what was counted of others, whose place it took */
};

struct refused {
        struct refused_network places[REFUSED_PLACES];
        size_t place_count;
        uint64_t seen[REFUSED_SOURCES]; /* of each source */
        uint64_t fade_ms;               /* when counts fade next */
};

/* The lengths of networks, as in struct network. */
struct refused_prefixes {
        uint8_t ipv4, ipv6;
};

/* Counts what source `number` has noted since the last time. */
void refused_take(struct refused *refused, size_t number, const struct recent *recent,
                  struct refused_prefixes prefixes);
/* Lets the past fade: half of it is gone after three quarters of an hour. */
void refused_fade(struct refused *refused, uint64_t now_ms);
/* The heaviest ones first, as many as there are and have room; returns how many. */
size_t refused_most(const struct refused *refused, const struct refused_network **ret_networks, size_t room);
