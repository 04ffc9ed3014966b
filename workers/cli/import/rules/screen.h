/* postscreen: what stands in front of Postfix's smtpd. */
#pragma once

#include "workers/cli/import/rules/rules.h"

/* Does nothing where it does not run. */
void screen_translate(struct import *import);
