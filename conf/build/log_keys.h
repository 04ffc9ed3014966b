/* The keys of the log's pseudonyms, from a file of their own: a secret belongs into no file that many may read. */
#pragma once

#include "conf/complaints.h"
#include "core/base/digest/pseudonym.h"

/* Reads a file of keys, a line "2026-11-29:SECRET" for each, the oldest first. False, with a complaint, when it cannot
 * be read, other users may read it, or it has no key or a wrong one. `place` is where the file is named. */
bool log_keys_read(struct pseudonym_keys *ret_keys, const char *path, const struct place *place,
                   struct conf_complaints *complaints);
/* The same, but a file without a key is as good as another. */
bool log_keys_read_any(struct pseudonym_keys *ret_keys, const char *path, const struct place *place,
                       struct conf_complaints *complaints);
