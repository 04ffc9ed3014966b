/* Why something of TLS has failed, in plain words where OpenSSL's would lead astray. */
#pragma once

/* Of an error of OpenSSL's, as ERR_get_error() gives it: a constant. Where OpenSSL's words are plain enough they are
 * left as they are; NULL when there are none. */
const char *tls_reason(unsigned long error);
