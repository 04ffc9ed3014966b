/* The configuration in force. */
#pragma once

#include "conf/snapshot.h"

#include <stdio.h>

/* Writes every option with the value that holds, as a configuration file that says the same; what is not as
 * by default has no comment. A password is not shown. */
void effective_print(FILE *file, const struct snapshot *snapshot);
