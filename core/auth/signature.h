/* The field of a signature: DKIM-Signature (RFC 6376 3.5), or ARC-Message-Signature and ARC-Seal, which are made alike
 * (RFC 8617 4.1.2, 4.1.3). */
#pragma once

#include "core/auth/canon.h"
#include "core/auth/key/key.h"
#include "core/auth/tags.h"

/* A field beyond these is not judged: "policy". */
#define SIGNATURE_FIELD_MAX 16384 /* octets */
#define SIGNATURE_NAMES_MAX 128   /* of h= */

enum signature_kind { SIGNATURE_DKIM, SIGNATURE_ARC_MESSAGE, SIGNATURE_ARC_SEAL };

enum arc_cv { ARC_CV_NONE, ARC_CV_FAIL, ARC_CV_PASS };

struct auth_signature {
        enum signature_kind kind;
        uint16_t field;          /* of the header */
        enum auth_result result; /* AUTH_WAIT until it is judged */
        const char *reason;      /* of what is no pass, plain text; "" else */
        /* What it says. Spans live as long as the header. */
        struct span domain, selector; /* as names to ask for, in lower case; empty: it does not say */
        struct span identity;         /* domain of i= in the same form; empty: that of d= */
        struct span names;            /* h=, with colons between */
        struct span value;            /* b=, as base64 */
        struct span hole;             /* what is not there when the field is digested */
        enum key_kind key;
        enum canon header_canon, body_canon;
        bool has_length;
        uint64_t length;                    /* l= */
        uint64_t signed_at_s, expires_at_s; /* 0: it does not say */
        uint8_t body_digest[AUTH_DIGEST_SIZE];
        uint16_t instance; /* of ARC; 0: it has none */
        enum arc_cv cv;    /* of a seal */
        /* Found when it is judged. */
        uint16_t key_bits;
        bool is_testing;           /* its key is */
        uint32_t fields_looked_at; /* of the header, for h= */
        uint64_t octets_digested;  /* of fields */
};

/* Parses the field, which is whole. The result is AUTH_WAIT, or with a reason what it comes to without a look at
 * anything else. Names that need more than their octets are made in the header's arena. */
void signature_parse(const struct auth_header *header, size_t field, enum signature_kind kind,
                     struct auth_signature *ret_signature);
/* "rsa-sha256" and "ed25519-sha256". */
const char *signature_algorithm_name(const struct auth_signature *signature);
/* The instance of a field of ARC, 1 to 50 (RFC 8617 4.2.1), or 0; also of ARC-Authentication-Results. */
uint16_t arc_instance_read(struct span value);
