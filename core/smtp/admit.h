/* Who may connect: what the check client_rate says of a client before there is a session, and the first line
 * that a client can get without one. */
#pragma once

#include "core/smtp/session.h"

/* Whether limits apply to the client at all. */
bool client_is_rated(const struct snapshot *snapshot, const struct address *client);
/* A rated client connects: counts it. The reply to refuse it with, or REPLY_NONE. *ret_excess: what was too
 * much, where the check only observes too. */
enum reply_id client_admit(const struct snapshot *snapshot, const struct ledger *ledger,
                           struct counters *counters, const struct address *client, uint64_t now_ms,
                           struct rate_excess *ret_excess);
/* Nothing is due before the banner: no pause, and no question that would begin later for it. */
bool client_is_greeted_at_once(const struct snapshot *snapshot, const struct session_peer *peer);
/* A reply's line with CRLF; of the placeholders %c and %n only, and without a reject id. */
void client_reply_write(struct text *line, const struct snapshot *snapshot, enum reply_id reply,
                        const struct address *client);
