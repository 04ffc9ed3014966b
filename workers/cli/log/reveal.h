/* gatepost log reveal: lines of the log with what their pseudonyms stand for. */
#pragma once

#include "core/base/digest/pseudonym.h"

/* `names`: only lines that have this address or mailbox, whatever the letter case; NULL: all. `count` 0: standard
 * input. Returns the exit status. */
int log_reveal(const struct pseudonym_keys *keys, const char *names, char *const *paths, int count);
