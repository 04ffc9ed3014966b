/* The whole of a translation. */
#pragma once

#include "workers/cli/import/rules/rules.h"

void import_init(struct import *import, struct keep *keep, const char *file, struct span host);
/* Reads main.cf, and master.cf where its text is given (at == NULL: it is not). False: it is none of Postfix's;
 * then import->fault and import->fault_file say why. */
bool import_read(struct import *import, struct span main_cf, struct span master_cf);
/* Fills the report, the draft and the files. False as above. */
bool import_translate(struct import *import);
