/* What the server tells on standard error while it runs. */
#pragma once

/* Writes a line and its newline. It leaves the line out when standard error takes nothing, so that a reader
 * who has stopped to read holds nobody up. */
void console_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
