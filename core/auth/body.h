/* The digest of a body in its canonical form (RFC 6376 3.4.3, 3.4.4), as it comes, in fixed memory. A message has two
 * at most, one for each form, whatever its signatures are: one with l= that ends before the body does is not believed,
 * and one that does not has the digest of the whole. */
#pragma once

#include "core/auth/canon.h"

struct body_digest {
        SHA256_CTX sha;
        enum canon canon;
        uint64_t length; /* of the canonical form, so far */
        /* Own: what has come and is not in it yet. */
        uint64_t empty_lines; /* line ends that count only if something follows */
        bool has_cr;          /* a LF behind it would make it a line end */
        enum body_blank { BODY_NO_BLANK, BODY_BLANK, BODY_BLANK_CR } blank;
        uint8_t digest[AUTH_DIGEST_SIZE]; /* after its end */
};

void body_digest_init(struct body_digest *body, enum canon canon);
/* With CRLF line ends, not dot-stuffed, in any pieces. */
void body_digest_add(struct body_digest *body, struct span octets);
void body_digest_end(struct body_digest *body);
