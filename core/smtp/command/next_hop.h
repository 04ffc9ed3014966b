/* What of the envelope and of the answers is due to next hops. */
#pragma once

#include "core/smtp/internal.h"

/* True when a recipient whose mail goes there may be another one of the message: it goes to one destination, which is
 * one list of next hops, or all that is no next hop. */
bool next_hop_takes_too(const struct message *message, const struct deliver_target *deliver);
/* The message goes to next hops, which are to be asked first. */
bool next_hop_is_asked(const struct message *message);
/* What the client is told of what the next hop has said. */
enum reply_id next_hop_reply(const struct store_report *report);
/* What a next hop has said goes into the log as the answer. */
void next_hop_record(struct session *session, const struct reply_about *about);
