/* An address as a next hop is told it. */
#pragma once

#include "conf/snapshot.h"
#include "core/mail/message.h"

/* Where the domain is not empty "@" and the domain stand behind the local part, which has both otherwise. */
struct told {
        struct span local_part, domain;
};

/* A bare <postmaster> has no domain, which a next hop may not know to be its own (RFC 5321 4.5.1). Neither need it know
 * an alias: what is said of one is told of the domain that has the mailboxes. A recipient without a domain is told as it
 * stands: what the journal hands out had its domain when it came. */
static inline struct told recipient_told(const struct recipient *recipient)
{
        if (recipient->domain == NULL)
                return (struct told){recipient->address, SPAN("")};
        const struct domain *domain = domain_of_mailboxes(recipient->domain);
        size_t at = span_find_last(recipient->address, '@');
        if (at == SIZE_MAX)
                return (struct told){recipient->mailbox, domain->name};
        if (domain != recipient->domain)
                return (struct told){span_of(recipient->address.at, at), domain->name};
        return (struct told){recipient->address, SPAN("")};
}
