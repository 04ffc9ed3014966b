/* Reading a configuration. */
#pragma once

#include "conf/complaints.h"

/* Reads the file and all that it names, and builds a snapshot. NULL when there is any error; the complaints
 * say which. Blocks on files; not to be called by two threads at once (libConfuse's parser is not
 * reentrant). */
struct snapshot *snapshot_load(const char *path, struct conf_complaints *complaints);
/* The same from text in memory, for tests and the fuzzer; relative paths are relative to `directory`. */
struct snapshot *snapshot_load_text(const char *text, const char *directory,
                                    struct conf_complaints *complaints);
