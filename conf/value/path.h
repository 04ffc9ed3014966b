/* Texts and paths, as the snapshot keeps them, and where mailboxes lie; for conf/ only. */
#pragma once

#include "core/base/arena.h"

/* Returns `path` as an absolute path without the components "." and "..". A relative one begins in
 * `directory`, which is absolute. It looks at no file. NULL when memory is out. */
const char *path_resolve(struct span path, const char *directory, struct arena *memory);
/* Returns a terminated copy, or NULL when memory is out. */
const char *arena_string(struct arena *memory, struct span text);

/* NULL, or what is wrong with a path for mailboxes; what it says goes on with the path. */
const char *mailbox_path_fault(const char *path);
/* No mailbox could be made: of a local part one octet counts at least. */
bool mailbox_path_has_long_component(const char *path, size_t domain_length);
/* Names of folders of Maildir++ with a dot between them, in ASCII (modified UTF-7). */
bool mailbox_folder_is_valid(const char *name);
