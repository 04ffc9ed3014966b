/* The other tables of the program, as lists of a man page. */
#pragma once

#include <stdio.h>

/* Each subcommand with its usage, as a section of its own. */
void tables_write_subcommands(FILE *file);
/* Each check with what it demands; the second one as a section, with its options. */
void tables_write_checks(FILE *file);
void tables_write_check_sections(FILE *file);
/* Replies that a configuration may change. */
void tables_write_replies(FILE *file);
void tables_write_metrics(FILE *file);
