/* What the server tells on standard error and standard output while it runs. */
#pragma once

#include "core/base/text.h"

/* These write a line and its newline: what is good to know, what somebody should look at, and what has failed. A
 * journal is told which by a priority. They leave the line out when standard error takes nothing, so that a reader who
 * has stopped to read holds nobody up. */
void console_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void console_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void console_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* One complaint about a configuration, without its newline, in the same way. */
void console_complaint(struct span complaint);
/* A text of them, each with its newline; NULL: there is none. Waits until standard error has taken them: for a
 * start. */
void console_complaints(const char *text);
/* True when the descriptor leads to the journal, which takes "<3>" before a line for its priority (sd-daemon(3)). */
bool console_is_journal(int fd);
/* Writes octets, at most 4000 of them. False when the descriptor takes nothing now. */
bool console_write(int fd, struct span octets);
