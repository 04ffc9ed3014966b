/* Lists in files of their own: the recipients of a domain, and top-level domains. Only conf/ includes this. A
 * line holds one entry; "#" at the beginning of a line or behind a blank begins a comment. */
#pragma once

#include "conf/build/internal.h"
#include "conf/value/recipient/settings.h"

/* Reads the known recipients of `domain`, by its options: addresses in it, or local parts. `place` is where the
 * configuration names the file. False, with errors among the complaints, unless all of it was understood. */
bool recipients_read(struct builder *builder, struct domain *domain, struct place place);
/* Reads settings and puts them behind the others. NULL, or what is wrong; of what is wrong with `deliver` it complains
 * itself. `domain`: whose list it is; NULL: that of any. `message` is room. */
const char *build_recipient_settings(struct builder *builder, struct span text, const struct domain *domain,
                                     struct place place, struct recipient_sets *sets,
                                     char message[static RECIPIENT_FAULT_MAX]);
/* Reads top-level domains into `table`. With `path` NULL it takes the list of the build. */
bool tlds_read(const char *path, struct place place, struct name_table *table,
               struct conf_complaints *complaints);
