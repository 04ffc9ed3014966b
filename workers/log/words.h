/* Texts of strangers and about them, as JSON strings have them: what in them tells who somebody is. */
#pragma once

#include "core/base/digest/pseudonym.h"

struct words {
        struct text *out;
        const struct pseudonym_key *key;
        const struct address *client; /* names that hold it are hidden; NULL: it is not known */
};

/* Appends the text with pseudonyms for addresses, for local parts of mailboxes, and for names, up to the label by which
 * they hold the client's address. Addresses of loopback stay, because DNS lists answer with them, unless the client has
 * that address. */
void words_hide(const struct words *words, struct span text);
/* Appends the whole text as a mailbox: a pseudonym for what stands before the last "@", or for all of it; behind that a
 * domain stays, and an address or a name with the client's address in it does not. */
void words_hide_mailbox(const struct words *words, struct span mailbox);
/* The domain that the text begins with; empty for a literal and for a pseudonym. It is the context of the pseudonym
 * before its "@". */
struct span words_domain(struct span text);
