/* A message from a file, for the command line. */
#pragma once

#include "core/base/text.h"

/* Lines that end with LF alone get CRLF. *ret_octets is from malloc(). False, with errno, when it cannot be
 * read. */
bool message_file_read(const char *path, char **ret_octets, size_t *ret_length);
