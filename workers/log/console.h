/* What the server tells on standard error and standard output while it runs. */
#pragma once

#include "core/base/text.h"

/* Writes a line and its newline. It leaves the line out when standard error takes nothing, so that a reader
 * who has stopped to read holds nobody up. */
void console_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Writes octets, at most 4000 of them. False when the descriptor takes nothing now. */
bool console_write(int fd, struct span octets);
