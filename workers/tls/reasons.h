/* Why something of TLS has failed, in plain words where OpenSSL's would lead astray. */
#pragma once

#include <stdbool.h>

/* Who the other side is. */
enum reason_of { REASON_OF_CLIENT, REASON_OF_HOP, REASONS_OF };

/* Of an error of OpenSSL's, as ERR_get_error() gives it: a constant. Where OpenSSL's words are plain enough they are
 * left as they are; NULL when there are none. */
const char *tls_reason(unsigned long error, enum reason_of peer);
/* Why a certificate is not taken, by X509_V_ERR_: a constant. */
const char *tls_verification_reason(long result);

/* OpenSSL itself seldom tells want of memory from other errors, so its calls for memory are watched. To be called
 * before anything else of OpenSSL is; without it, and when it comes too late, no failure is known. */
void tls_memory_watch(void);
/* One of them has failed in this thread since it was last asked. */
bool tls_memory_has_failed(void);
