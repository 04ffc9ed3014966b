/* Who a sender is to the greylist. */
#pragma once

#include "core/check/check.h"

/* Whom a client stands for: "spf:DOMAIN" when SPF passes by more than "all", else "rdns:DOMAIN", the
 * organisational domain of its verified and not generic reverse name, else "net:PREFIX/24" or "/64". Empty
 * while answers are pending, or when memory is out (*ret_is_pending tells which). */
struct span greylist_identity(const struct facts *facts, bool *ret_is_pending);
/* "net:192.0.2.0/24" */
void greylist_put_network(struct text *text, const struct address *client);
/* The sender without what differs from mail to mail: BATV tags, SRS stamps, extensions, numbers (VERP); lower
 * case. */
void greylist_put_sender(struct text *text, struct span sender);
