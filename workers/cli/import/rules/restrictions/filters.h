/* Mail filters: policy services, of which some have a check of ours in their place, and milters. */
#pragma once

#include "workers/cli/import/rules/restrictions/restrictions.h"

void restrict_policy_service(struct import *import, struct element *element);
/* smtpd_milters: a row for each. */
void milters_translate(struct import *import);
