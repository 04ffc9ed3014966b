/* What is wrong with a certificate that can be read, before any client is shown it. */
#pragma once

#include "workers/tls/certificate.h"

#define TLS_WARNING_DAYS 14 /* with fewer left there are warnings */

/* Complains of a link of the chain that does not hold. It stays as it is as long as the file does. */
void tls_verify_links(const struct tls_certificate *certificate, struct conf_complaints *complaints);
/* Warns when what the chain ends with is signed by no root that this machine trusts now. */
void tls_verify_root(const struct tls_certificate *certificate, struct conf_complaints *complaints);
/* Complains of a certificate that is not valid at `now`, by an error or, with `is_tolerated`, by a warning, and of one
 * that ends soon. */
void tls_verify_times(const struct tls_certificate *certificate, time_t now, bool is_tolerated,
                      struct conf_complaints *complaints);
/* Warns when `name` is none of its names. */
void tls_verify_name(const struct tls_certificate *certificate, const char *name,
                     struct conf_complaints *complaints);
