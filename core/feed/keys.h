/* Entries of a feed that are found by their whole key: a domain name, or an IPv6 prefix. */
#pragma once

#include "core/feed/ranges.h"

struct feed_keys {
        struct name_table table; /* value: place in `values` */
        uint32_t *values;
        size_t room;
};

/* False when memory is out. */
bool feed_keys_add(struct feed_keys *keys, struct span key, enum feed_twice twice, struct feed_values *values,
                   uint32_t value);
/* False when there is no entry; one that excludes is found. */
bool feed_keys_find(const struct feed_keys *keys, struct span key, uint32_t *ret_value);
size_t feed_keys_octets(const struct feed_keys *keys);
void feed_keys_end(struct feed_keys *keys);
