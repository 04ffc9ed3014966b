/* Judges one signature by its key, of DKIM or of ARC: a pure function of the message, of an answer from DNS and of the
 * time. */
#pragma once

#include "core/auth/body.h"
#include "core/auth/signature.h"
#include "dns/fact.h"

#define SIGNATURE_CLOCK_SKEW_S 300 /* a signature may have been made so far in the future */

/* What signatures are judged by. */
struct auth_text {
        struct auth_header header;
        struct body_digest bodies[2]; /* by canonical form */
        bool wants[2];                /* a signature does */
};

/* Asks for the key, so that the answer is on its way while the text comes. Nothing is asked for a signature that has a
 * result. True: the answer is pending. */
bool signature_ask(const struct auth_signature *signature, struct memo *memo);
/* The digest that is signed, of a signature of DKIM or of a message of ARC: the fields that h= names, from the bottom
 * up where it names one more than once, and nothing for one that is not there (RFC 6376 5.4.2). */
void signature_digest(struct auth_signature *signature, const struct auth_header *header,
                      uint8_t ret_digest[static AUTH_DIGEST_SIZE]);
/* Judges a signature of DKIM or of a message of ARC, after the end of the text. What has a result keeps it. */
void signature_judge(struct auth_signature *signature, const struct auth_text *text, struct memo *memo,
                     int64_t now_s);
/* The same of any signature over a digest: key, flags, the signature itself. */
void signature_judge_digest(struct auth_signature *signature, const uint8_t digest[static AUTH_DIGEST_SIZE],
                            struct memo *memo);
