/* Addresses for next hops. */
#include "core/mail/recipient.h"

struct told_address recipient_told(const struct recipient *recipient)
{
        const struct domain *domain = recipient->domain;
        size_t at = span_find_last(recipient->address, '@');

        if (domain == NULL)
                return (struct told_address){recipient->address, SPAN("")};
        domain = domain_of_mailboxes(domain);
        if (at == SIZE_MAX)
                return (struct told_address){recipient->mailbox, domain->name};
        if (domain != recipient->domain)
                return (struct told_address){span_of(recipient->address.at, at), domain->name};
        return (struct told_address){recipient->address, SPAN("")};
}

size_t recipients_left_out(const struct message *message)
{
        size_t count = 0;

        for (const struct recipient *recipient = message->recipients; recipient != NULL;
             recipient = recipient->next)
                count += recipient->is_left_out;
        return count;
}
