/* Signs messages with one Ed25519 key, for tests of what a signature says: the canonical forms are ours here, and are
 * compared with those of others elsewhere. */
#pragma once

#include "core/auth/reader.h"

/* Its record: SIGNER_KEY behind "v=DKIM1; k=ed25519; p=". */
#define SIGNER_KEY "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="

/* Appends "NAME: tags; bh=...; b=..." with CRLF, a signature over `rest` (other fields and the body). `tags`: all
 * but these
 * two, in the canonical form that c= says. */
void signer_sign(struct text *out, const char *name, const char *tags, struct span rest);
/* Puts a whole set of ARC in front of `message`. */
void signer_seal(struct text *out, unsigned instance, const char *domain, const char *cv, const char *results,
                 struct span message);
