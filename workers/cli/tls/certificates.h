/* check-config: the certificates that a configuration names. */
#pragma once

#include "workers/tls/context.h"

/* Loads them, and tells names and end of each by a note. The result is the caller's; NULL without TLS, and with
 * complaints when something is wrong at this moment. */
struct tls_contexts *certificates_check(const struct snapshot *snapshot, enum tls_moment moment,
                                        struct conf_complaints *complaints);
