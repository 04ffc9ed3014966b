/* The options of a configuration, from the rows of conf/options.def. */
#pragma once

#include "core/base/text.h"

#include <stdio.h>

/* A list of the options of the top level ("top"), of a section ("tls", "domain", "zone", ...), or of a check.
 * False when there is no section of this name. */
bool options_write(FILE *file, struct span section);
/* Former names. */
void options_write_old(FILE *file);
