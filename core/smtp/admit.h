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
/* Nothing is due before the banner: no pause, no turn that is waited for, and no question that would begin later for
 * it. */
bool client_is_greeted_at_once(const struct snapshot *snapshot, const struct session_peer *peer,
                               enum rung rung);
/* By the configuration: trusted_networks, or exempt of client_rate. */
bool client_is_vouched_for(const struct snapshot *snapshot, const struct address *client);
/* By its history, or by the configuration: under load it goes first. */
bool client_is_known(const struct snapshot *snapshot, const struct ledger *ledger,
                     const struct address *client, uint64_t now_ms);

#define CLIENT_LINE_MAX 510 /* RFC 5321 4.5.3.1.5, without CRLF */

/* What a client can be told without a session. */
struct client_reply {
        enum reply_id id;
        const struct address *client; /* %c */
        struct span subject;          /* %v */
        const char *reject_id;        /* NULL or empty: none. Only a policy reply has one */
};

/* A reply's line with CRLF; of the placeholders %c, %n and %v only. There is room for CLIENT_LINE_MAX octets and
 * CRLF. */
void client_reply_write(struct text *line, const struct snapshot *snapshot, const struct client_reply *reply);
