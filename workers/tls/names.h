/* Which context a client gets for the name that it asks for. */
#pragma once

#include "core/base/name_table.h"

struct tls_names {
        struct name_table exact;
        struct name_table below; /* of "*.example.org": "example.org" */
};

/* Adds a name, in lower case; one that is there keeps its number. False when memory is out. */
bool tls_names_add(struct tls_names *names, const char *name, uint32_t number);
/* False when none fits. `name` is whatever the client has sent. A wildcard stands for one label (RFC 6125 6.4.3), and a
 * name itself goes before it. */
bool tls_names_find(const struct tls_names *names, struct span name, uint32_t *ret_number);
void tls_names_end(struct tls_names *names);
