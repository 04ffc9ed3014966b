/* What the server tells on stderr while it runs. */
#pragma once

/* Writes a line, with its newline, after "gatepost: "; or leaves it out when whoever reads stderr has stopped
 * to. */
void console_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
