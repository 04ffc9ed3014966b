/* Recipients as those are told them who take the mail. */
#pragma once

#include "core/mail/message.h"

/* "@" and the domain stand in the local part, or are to be put behind it. */
struct told_address {
        struct span local_part, domain; /* domain: empty where the local part has it */
};

/* A bare <postmaster> has no domain, which a next hop may not know to be its own (RFC 5321 4.5.1). Neither need it know
 * an alias: what is said of one is told of the domain that has the mailboxes. Whose domain is NULL is told as he is. */
struct told_address recipient_told(const struct recipient *recipient);
/* How many recipients of a message have it already. */
size_t recipients_left_out(const struct message *message);
