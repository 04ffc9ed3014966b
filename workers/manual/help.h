/* The usage of a program or a subcommand, as --help prints it, in the form of a man page. */
#pragma once

#include <stdio.h>

/* The text begins with "usage: " and has paragraphs. A line in which two blanks or more divide words is an entry of
 * a list, and what is indented below it belongs to it. */
void help_write(FILE *file, const char *text);
