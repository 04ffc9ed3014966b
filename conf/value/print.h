/* The configuration that holds where none is given. */
#pragma once

#include <stdio.h>

/* Writes every option with its default, as a configuration file with the help as comments. */
void options_print(FILE *file);
