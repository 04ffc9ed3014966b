/* TLSA records (RFC 6698), as clients that send mail use them (RFC 7672). */
#pragma once

#include "workers/tls/certificate.h"

/* Appends "3 1 1 DIGITS": the digest of the certificate's public key, which stays right when the certificate is renewed
 * with the same key. */
void tlsa_put(const struct tls_certificate *certificate, struct text *text);
/* True when the record, as it is on the wire, vouches for the certificate (usage 3) or for one of its chain (usage 2).
 * Others count for no mail (RFC 7672 3.1.3). */
bool tlsa_matches(const struct tls_certificate *certificate, struct span record);
