/* Lists in files of their own: recipients of a domain, top-level domains; for conf/ only. One entry a line;
 * "#" at the begin of a line or behind a blank starts a comment. */
#pragma once

#include "conf/complaints.h"

/* Reads the known recipients of `domain`, by its options: addresses in it, or local parts. `place`: where the
 * file is named. False, with errors among the complaints, unless all of it was understood. */
bool recipients_read(struct domain *domain, struct place place, struct conf_complaints *complaints);
/* Reads top-level domains into `table`; `path` NULL: the list of the build. */
bool tlds_read(const char *path, struct place place, struct name_table *table,
               struct conf_complaints *complaints);
