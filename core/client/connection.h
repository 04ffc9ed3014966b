/* A connection to a next hop before its first transaction, and between them. */
#pragma once

#include "core/client/hop.h"

/* The event was SECURE, and TLS stands: what the hop said before counts no more (RFC 3207 4.2). */
enum hop_event hop_secured(struct hop *hop, struct text *out);
/* The event was SECURE, and TLS does not come about. `reason` is copied. The connection is of no more use; whether
 * another one may go without TLS is the caller's decision. */
enum hop_event hop_handshake_failed(struct hop *hop, const char *reason, struct text *out);
/* Does nothing unless hop_is_ready(). */
void hop_quit(struct hop *hop, struct text *out);
