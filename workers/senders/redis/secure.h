/* TLS to Redis and sentinels, by the part of hiredis that Debian 12 does not have: without it none is spoken. */
#pragma once

#include "conf/complaints.h"
#include "core/base/address.h"

#include <hiredis/hiredis.h>
#include <openssl/types.h>

/* `authorities`: the file of the certificates by which servers are verified, on which it blocks. NULL with a
 * complaint. */
SSL_CTX *redis_secure_open(const char *authorities, struct conf_complaints *complaints);
/* NULL is allowed. */
void redis_secure_close(SSL_CTX *tls);
/* Begins the handshake on a connection that may still be on its way. The certificate must be verified, and be for
 * `name`, or for the address where that is empty. Returns what the context owns; NULL: it cannot begin. */
SSL *redis_secure_begin(redisContext *context, SSL_CTX *tls, const char *name, const struct address *address);
/* Why the server's certificate is not verified, a static text; NULL: no reason is known. */
const char *redis_secure_fault(const SSL *ssl);
