/* The one place where a signature meets a key: OpenSSL's. */
#pragma once

#include "core/auth/canon.h"
#include "core/auth/key/key.h"

#define SIGNATURE_OCTETS_MAX (KEY_BITS_MAX / 8)

enum verified { VERIFIED_GOOD, VERIFIED_BAD, VERIFIED_NOT /* memory is out */ };

/* RSASSA-PKCS1-v1_5 over the digest (RFC 6376 3.3), or Ed25519 over the digest as a message (RFC 8463 3). Takes memory
 * of OpenSSL's and gives it back; leaves none of its errors behind, for TLS of the same thread looks at them. */
enum verified signature_verify(const struct auth_key *key, const uint8_t digest[static AUTH_DIGEST_SIZE],
                               struct span signature);
