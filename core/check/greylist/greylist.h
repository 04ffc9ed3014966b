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
