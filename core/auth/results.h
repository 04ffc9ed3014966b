/* The field Authentication-Results (RFC 8601), in which we say what was found. */
#pragma once

#include "core/auth/arc/arc.h"
#include "core/auth/dmarc/dmarc.h"

/* Octets of the whole field at most: eight signatures whose names are as long as can be, and the rest. */
#define AUTH_RESULTS_MAX 12288

/* What is NULL or empty is left out. */
struct auth_results {
        struct span server;    /* authserv-id: our host name */
        const char *iprev;     /* result; RFC 8601 3 */
        struct span client;    /* address, as text */
        const char *spf;       /* result */
        struct span mail_from; /* mailbox without brackets, as given; empty: HELO was judged */
        struct span helo;
        const struct dkim *dkim;
        const struct dmarc_author *author;
        const struct dmarc_verdict *dmarc; /* with its author */
        const struct arc *arc;
};

/* Appends the field with CRLF, folded at 78 columns where its parts allow. Values are tokens or quoted strings of
 * printable ASCII: nothing that a stranger has said ends one, or its line. One method follows the other in the order
 * iprev, spf, dkim, dmarc, arc. */
void auth_results_write(struct text *text, const struct auth_results *results);
