/* What a session puts in front of a text that it takes. Only core/smtp includes this. */
#pragma once

#include "core/check/dns/reverse.h"
#include "core/smtp/session.h"

/* Where Received has the client's name in DNS, Authentication-Results tells of it, or mail filters are told it, it is
 * asked for, without waiting: when who the client is is known, and once more when an answer may be in. */
void trace_prepare(struct session *session);
/* It is on its way still, and its time is not up. */
bool trace_waits(struct session *session);
/* It, in octets that a name may have; empty: there is none, or it is not known. It lives as long as the session.
 * *ret_is_verified: it leads back to the client. */
struct span trace_reverse_name(struct session *session, bool *ret_is_verified);
/* Whether it leads back, for Authentication-Results (RFC 8601 2.7.3). */
enum reverse_result trace_iprev(struct session *session);
/* What a next hop is told of the one copy that it gets, the fields of checks and of mail filters, and the Received
 * field (RFC 5321 4.4) at the front of the message's text. False when memory is out. */
bool trace_write(struct session *session);
