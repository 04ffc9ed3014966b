/* Canonical forms of header fields (RFC 6376 3.4.1, 3.4.2), straight into a digest. */
#pragma once

#include "core/auth/header.h"

#include <openssl/sha.h>

enum canon { CANON_SIMPLE, CANON_RELAXED };

#define AUTH_DIGEST_SIZE 32 /* of SHA-256 */

struct field_digest {
        SHA256_CTX sha;
        uint64_t octets; /* that went into it */
};

void field_digest_init(struct field_digest *digest);
/* The field, with CRLF at its end. */
void field_digest_add(struct field_digest *digest, const struct auth_header *header, size_t field,
                      enum canon canon);
/* A field of the signature itself: without what is in `hole`, a part of it, and without CRLF (3.7). */
void field_digest_add_last(struct field_digest *digest, const struct auth_header *header, size_t field,
                           enum canon canon, struct span hole);
void field_digest_end(struct field_digest *digest, uint8_t ret_digest[static AUTH_DIGEST_SIZE]);
