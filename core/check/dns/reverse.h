/* The client's name by reverse DNS, and whether it leads back to the client (FCrDNS). */
#pragma once

#include "core/check/check.h"

enum reverse_result {
        REVERSE_VERIFIED,   /* names that resolve to the client's address */
        REVERSE_UNVERIFIED, /* names, but none of them leads back */
        REVERSE_NONE,       /* no PTR record */
        REVERSE_FAILED,
        REVERSE_PENDING,
};

#define REVERSE_NAMES_MAX 30 /* that are looked at: the first by alphabet */

/* Its text lives as long as the memo. */
struct reverse_names {
        /* those that lead back; if none does, the first of the others */
        struct span names[REVERSE_NAMES_MAX];
        size_t count;
        bool is_complete; /* all names were looked at, and DNS failed for none */
};

/* Asks for all it can at once, and waits for all. */
enum reverse_result reverse_lookup(const struct facts *facts, struct reverse_names *ret_names);
/* "7.2.0.192" or 32 nibbles, without a zone (RFC 5782 2.1, 2.4; RFC 3596 2.5). */
void reverse_put_address(struct text *text, const struct address *address);
/* The name, in lower case, has the address in it, or so much of it that it is known by that. */
bool reverse_name_holds(struct span name, const struct address *address);
/* The name has the client's address in it, and a keyword of dynamic_client too. */
bool reverse_is_generic(const struct facts *facts, struct span name);
