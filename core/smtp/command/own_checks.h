/* The policy of recipients that have settings of their own. */
#pragma once

#include "core/smtp/internal.h"

/* The mode of each check for a recipient of this domain, as long as the transaction: those of the domain, and in their
 * place those of the settings, which may be NULL. NULL when memory is out. */
const struct check_setting *own_checks(struct transaction *transaction, const struct domain *domain,
                                       const struct recipient_settings *settings);
