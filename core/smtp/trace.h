/* What a session puts in front of a text that it takes. Only core/smtp includes this. */
#pragma once

#include "core/smtp/session.h"

/* Where Received has the client's name in DNS, it is asked for, without waiting: when who the client is is known, and
 * once more when an answer may be in. */
void trace_prepare(struct session *session);
/* It is on its way still, and its time is not up. */
bool trace_waits(struct session *session);
/* What a next hop is told of the one copy that it gets, the fields of checks, and the Received field (RFC 5321 4.4) at
 * the front of the message's text. False when memory is out. */
bool trace_write(struct session *session);
