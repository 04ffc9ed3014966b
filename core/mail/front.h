/* The fields that one copy of a message alone may have, before all others: Return-Path (RFC 5321 4.4), and
 * Delivered-To, which says whom this copy is for. */
#pragma once

#include "core/mail/message.h"

#define FRONT_MAX                                                                                            \
        1536 /* octets: two paths, of which one has a backslash before each octet, and their names */

/* Appends what the domain of a mailbox says of its copies, with the message's line ends: `recipient` is the first whose
 * mail goes into this Maildir. `front` has FRONT_MAX. */
void front_write(struct text *front, const struct message *message, const struct recipient *recipient);
void front_put_return_path(struct text *front, struct span sender, enum newline_form newline);
/* What stands in front of the one copy for a next hop, with CRLF: Return-Path where each recipient's domain says yes,
 * and Delivered-To where there is one recipient. */
void front_write_for_hop(struct text *front, const struct message *message);
