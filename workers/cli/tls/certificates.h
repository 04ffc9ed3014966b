/* check-config: the certificates that a configuration names. */
#pragma once

#include "workers/tls/context.h"

/* Loads them as serve would, and tells names and end of each by a note. The result is the caller's; NULL without TLS,
 * and with complaints when something is wrong. */
struct tls_contexts *certificates_check(const struct snapshot *snapshot, struct conf_complaints *complaints);
