/* Texts and paths, as the snapshot keeps them; for conf/ only. */
#pragma once

#include "core/base/arena.h"

/* Returns `path` as an absolute path without the components "." and "..". A relative one begins in
 * `directory`, which is absolute. It looks at no file. NULL when memory is out. */
const char *path_resolve(struct span path, const char *directory, struct arena *memory);
/* Returns a terminated copy, or NULL when memory is out. */
const char *arena_string(struct arena *memory, struct span text);
