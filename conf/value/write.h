/* Option values back as the text that the configuration has for them; for conf/ only. */
#pragma once

#include "conf/value/value.h"

#include <stdio.h>

/* The value of `row` in the structure at `base`. */
void value_print(FILE *file, const struct option_row *row, const void *base);
/* A text between quotes, as libConfuse reads it. */
void quoted_print(FILE *file, struct span text);
