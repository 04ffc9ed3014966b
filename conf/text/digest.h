/* A short name for what a configuration says, so that two machines can be told to run the same. Comments, blanks and
 * the division into files do not count, and neither does what differs from machine to machine anyway, nor a secret.
 * Only conf/ includes this. */
#pragma once

#include "conf/text/parse.h"

/* Hexadecimal digits, the first ones of a SHA-256. */
void settings_digest(const struct settings *settings, char ret_digits[static CONFIGURATION_DIGEST_SIZE]);
