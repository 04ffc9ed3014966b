/* HMAC (RFC 2104). It takes no memory and no lock. */
#pragma once

#include "core/base/text.h"

#include <openssl/sha.h>

#define MAC_SHA1_SIZE   20
#define MAC_SHA256_SIZE 32
#define MAC_KEY_MAX     64 /* one block: a longer key would be hashed first */

/* These compute the MAC over the octets of all `parts`, one after the other. `key` has at most MAC_KEY_MAX
 * octets. */
void mac_sha1(struct span key, const struct span *parts, size_t part_count,
              uint8_t ret_mac[static MAC_SHA1_SIZE]);
/* A key whose own blocks have been digested: what is left is half of the work for a short text. */
struct mac_sha256_key {
        SHA256_CTX inner, outer;
};

void mac_sha256_prepare(struct mac_sha256_key *ret_key, struct span key);
/* These give the same MAC as mac_sha256(). */
void mac_sha256_with(const struct mac_sha256_key *key, struct span text,
                     uint8_t ret_mac[static MAC_SHA256_SIZE]);
void mac_sha256_parts_with(const struct mac_sha256_key *key, const struct span *parts, size_t part_count,
                           uint8_t ret_mac[static MAC_SHA256_SIZE]);
void mac_sha256(struct span key, const struct span *parts, size_t part_count,
                uint8_t ret_mac[static MAC_SHA256_SIZE]);
