/* P13, beside the verdict: who a sender is to the greylist, and what is remembered of it. */
#pragma once

#include "core/check/check.h"

/* Right after the check has run for the same recipient; its verdict is given, and nobody refuses it:
 * remembers what must be remembered. Gives the result that the check has found. */
enum greylist_result greylist_commit(const struct facts *facts);
/* A message has been stored for which greylist_commit() said ALLOWED or PASSED. */
void greylist_commit_delivery(const struct facts *facts);
/* Asks early what will be asked of DNS. */
void greylist_prepare(const struct facts *facts);

/* ---- greylist_key.c */

/* Whom a client stands for: "spf:DOMAIN" when SPF passes by more than "all", else "rdns:DOMAIN", the
 * organisational domain of its verified and not generic reverse name, else "net:PREFIX/24" or "/64". Empty
 * while answers are pending, or when memory is out (*ret_is_pending tells which). */
struct span greylist_identity(const struct facts *facts, bool *ret_is_pending);
/* "net:192.0.2.0/24" */
void greylist_put_network(struct text *text, const struct address *client);
/* The sender without what differs from mail to mail: BATV tags, SRS stamps, extensions, numbers (VERP); lower
 * case. */
void greylist_put_sender(struct text *text, struct span sender);
