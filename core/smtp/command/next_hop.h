/* What of the envelope and of the answers is due to next hops. */
#pragma once

#include "core/smtp/internal.h"

/* True when a recipient with these settings, which may be NULL, may be another one of the message: it goes to one
 * destination, which is one list of next hops, or all that is no next hop. */
bool next_hop_takes_too(const struct message *message, const struct recipient_settings *settings,
                        const struct domain *domain);
/* The message goes to next hops, which are to be asked first. */
bool next_hop_is_asked(const struct message *message);
/* Before the text of such a message. Where a recipient may have it from an earlier try it is taken whole, before a next
 * hop is asked, and transaction->is_taken_whole is set. False when memory is out. */
bool next_hop_begin_text(struct session *session);
/* The text of a message that is taken whole may be delivered: to those who do not have it. OPEN, or it is answered
 * where all have it. */
enum session_wish next_hop_deliver_rest(struct session *session, struct text *out);
/* The text is whole, and some who were recipients at DATA are none any more: as text_deliver(), but the next hop that
 * has been told of them is left for another dialogue. */
enum session_wish next_hop_deliver_anew(struct session *session, struct text *out);
/* What the client is told of what the next hop has said. */
enum reply_id next_hop_reply(const struct store_report *report);
/* What a next hop has said goes into the log as the answer. */
void next_hop_record(struct session *session, const struct reply_about *about);
