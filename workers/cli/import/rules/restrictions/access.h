/* Access tables (access(5)): what of them has a counterpart. */
#pragma once

#include "workers/cli/import/rules/restrictions/restrictions.h"

void restrict_client_access(struct import *import, struct element *element);
void restrict_helo_access(struct import *import, struct element *element);
void restrict_sender_access(struct import *import, struct element *element);
void restrict_recipient_access(struct import *import, struct element *element);
/* The same of a table of clients that postscreen has: "permit", "reject" and "dunno". False: it was not
 * translated, for the reason in *ret_why; else that tells how much of it was. */
bool access_take_clients(struct import *import, struct span table, struct span origin, const char **ret_why,
                         enum judgement *ret_judgement);
