/* Answers that an operator gives in the place of DNS, to try what a session would be if they were so. */
#pragma once

#include "core/base/address.h"
#include "core/base/arena.h"
#include "dns/fact.h"

struct given_answer;

/* A source in front of another one. */
struct given {
        struct dns_source source;
        struct dns_source *behind; /* asked for what is not given; NULL: that fails */
        struct block_pool pool;
        struct arena memory;
        struct given_answer *answers;
};

void given_begin(struct given *given);
/* Takes "NAME TYPE=VALUE", where TYPE is A, AAAA, PTR, MX, TXT or NS. VALUE is what a zone file has behind the
 * type, a text without quotes; or "absent" or "failed". Given again, it is a further record. NULL, or what is wrong
 * with it. */
const char *given_add(struct given *given, const char *fact);
/* Gives the client this reverse name, which leads back to it. NULL, or what is wrong with it. */
const char *given_add_reverse(struct given *given, const struct address *client, const char *name);
/* True when the answer to this question, in normal form, is given. */
bool given_has(const struct given *given, const struct dns_question *question);
void given_end(struct given *given);
