/* The Author Domain (RFC 9989 5.3.1): the domain of the mailbox in From, as a mail program shows it. */
#pragma once

#include "core/auth/header.h"
#include "core/base/domain_name.h"

#define DMARC_MAILBOXES_MAX 64 /* of From; each may cost a conversion to A-labels */

enum dmarc_author_kind {
        DMARC_AUTHOR_ONE,
        DMARC_AUTHOR_NONE,    /* no From, or no mailbox in it */
        DMARC_AUTHOR_SEVERAL, /* more than one domain, or more than one From */
        DMARC_AUTHOR_BAD,     /* what is there is no domain */
};

struct dmarc_author {
        enum dmarc_author_kind kind;
        const char *reason;               /* of all but ONE */
        uint8_t length;                   /* of the domain, of ONE alone */
        char octets[DOMAIN_NAME_MAX + 1]; /* A-labels in lower case */
};

static inline struct span dmarc_author_domain(const struct dmarc_author *author)
{
        return span_of(author->octets, author->length);
}

/* Reads From of a header that is over. What stands in comments, in quotes and in front of "<" is no address, and groups
 * are their mailboxes. A source route (RFC 5322 4.4) is ill-formed: DMARC_AUTHOR_BAD. */
void dmarc_author_read(const struct auth_header *header, struct dmarc_author *ret_author);
