/* ARC (RFC 8617): verifies the chain that forwarders have sealed, and says which of its sets can be believed. It seals
 * nothing. */
#pragma once

#include "core/auth/judge.h"

/* RFC 8617 4.2.1 knows 50; a chain of more than these is not judged, for it costs two questions and two signatures a
 * set, and its seals cover each other: their digests grow with the square. Honest chains have one to five. */
#define ARC_SETS_MAX 16

struct arc_set {
        uint16_t results; /* the field ARC-Authentication-Results */
        struct auth_signature message, seal;
};

struct arc {
        uint32_t count;          /* of sets; those of instance 1, 2, ... */
        enum auth_result result; /* NONE without a field of ARC; PASS, FAIL, TEMPERROR or POLICY */
        const char *reason;
        /* The lowest instance whose message signature, and all above it, verify: since then nothing that it covers was
         * altered. 1: nothing ever was; 0: not judged, or none does. */
        uint16_t oldest_pass;
        uint64_t octets_digested; /* for seals */
        struct arc_set sets[ARC_SETS_MAX];
};

/* Finds the sets of a header that is over; says what is wanted of the body. */
void arc_begin(struct arc *arc, struct auth_text *text);
/* True: an answer is pending. */
bool arc_ask(const struct arc *arc, struct memo *memo);
/* After the end of the text. False: answers are pending. */
bool arc_judge(struct arc *arc, const struct auth_text *text, struct memo *memo, int64_t now_s);

/* Whom we believe; the domain is in the form of DNS. */
struct arc_trust {
        bool (*is_trusted)(const struct arc_trust *trust, struct span sealer);
};

/* The instance of the oldest set that can be believed, or 0. Its sealer is trusted, and between it and us were either
 * trusted sealers only, or nobody who altered what its message signature covers. Only a chain that passes has one. */
uint16_t arc_trusted_instance(const struct arc *arc, const struct arc_trust *trust);
/* The sealer of an instance has written that `method` came to "pass", and nothing else of it (the
 * ARC-Authentication-Results of that set). What strangers have said stands in that field as well: where it could be
 * read in two ways, it says nothing. */
bool arc_says_pass(const struct arc *arc, const struct auth_header *header, uint16_t instance,
                   struct span method);
