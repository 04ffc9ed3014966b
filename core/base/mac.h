/* HMAC (RFC 2104). It takes no memory and no lock. */
#pragma once

#include "core/base/text.h"

#define MAC_SHA1_SIZE   20
#define MAC_SHA256_SIZE 32
#define MAC_KEY_MAX     64 /* one block: a longer key would be hashed first */

/* These compute the MAC over the octets of all `parts`, one after the other. `key` has at most MAC_KEY_MAX
 * octets. */
void mac_sha1(struct span key, const struct span *parts, size_t part_count,
              uint8_t ret_mac[static MAC_SHA1_SIZE]);
void mac_sha256(struct span key, const struct span *parts, size_t part_count,
                uint8_t ret_mac[static MAC_SHA256_SIZE]);
