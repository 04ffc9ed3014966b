/* Where each domain's mail goes. */
#pragma once

#include "workers/cli/import/rules/domains/domains.h"

/* By the transports of Postfix, and the tables of them. */
void deliveries_choose(struct import *import, struct import_domains *domains);
/* Maildirs of virtual domains, by what virtual_mailbox_maps says, when it was read. */
void deliveries_by_path(struct import *import, struct import_domains *domains);
/* What is to be done about mail that goes on to Postfix. */
void deliveries_tell_behind(struct import *import, const struct import_domains *domains);
