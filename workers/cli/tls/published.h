/* check-config --dns: what DNS should say about TLS here, and what it says. */
#pragma once

#include "workers/tls/context.h"

/* Prints the TLSA records (RFC 7672) and MTA-STS policies (RFC 8461) that would be right on standard output, asks the
 * resolvers for those that are published, and complains where they disagree. `contexts` is NULL without TLS. */
void published_check(const struct snapshot *snapshot, const struct tls_contexts *contexts, const char *path,
                     struct conf_complaints *complaints);
