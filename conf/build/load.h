/* Reads a configuration. */
#pragma once

#include "conf/complaints.h"

/* Reads the file and all that it names, and builds a snapshot, which is the caller's. NULL when there is any
 * error; the complaints say which. It blocks on files, and two threads may not call it at once, because
 * libConfuse's parser is not reentrant. */
struct snapshot *snapshot_load(const char *path, struct conf_complaints *complaints);
/* The same for those who want an option or two, whatever else may be wrong: NULL only when there is nothing to read.
 * Nothing else of this snapshot is to be trusted, if there were errors. */
struct snapshot *snapshot_load_faulty(const char *path, struct conf_complaints *complaints);
/* Does the same with text in memory, for tests and the fuzzer. Relative paths begin in `directory`. */
struct snapshot *snapshot_load_text(const char *text, const char *directory,
                                    struct conf_complaints *complaints);
