/* Who may not open what, in words: "Permission denied" alone does not say as whom it was tried. */
#pragma once

#include <unistd.h> /* R_OK and its like */

#define ACCESS_TEXT_MAX 512

/* "; tried as USER, it belongs to OWNER:GROUP with mode 0600" of the file, or the same of the first folder on the way
 * to it that this process may not pass, or may make no file in. "" where nothing is denied. `mode` is what is needed of
 * the file, as for access(2), with X_OK for a folder alone. Returns `ret_text`. Reads /etc/passwd and /etc/group, and
 * asks nobody else for names. */
const char *access_denied(const char *path, int mode, char ret_text[static ACCESS_TEXT_MAX]);
