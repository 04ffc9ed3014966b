/* What an import leaves: a folder. */
#pragma once

#include "workers/cli/import/rules/rules.h"

/* Makes the folder, which may be there when it is empty, and in it gatepost.conf, report.txt and the files that
 * the configuration names. `from` names the source. False, with a reason on standard error, when it cannot; then
 * nothing of an older import was touched. */
bool output_write(struct import *import, const char *folder, const char *from);
