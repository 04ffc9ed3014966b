/* Recipients: those that the tables of Postfix name. */
#pragma once

#include "workers/cli/import/rules/domains/domains.h"

void people_collect(struct import *import, struct import_domains *domains);
/* One more; an empty `local` is whoever else there is. */
void people_add(struct import *import, struct import_domain *domain, struct span local, struct span deliver,
                struct span path);
/* Tells of those who are refused by an access table, and are taken here: where the next hop is asked about
 * recipients, or whoever else there is gets mail. */
void people_tell_refused(struct import *import, const struct import_domain *domain, bool asks);
/* The file of the domain's recipients, and the options of its section. */
void people_write(struct import *import, struct draft_section *section, struct import_domain *domain);
