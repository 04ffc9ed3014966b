/* The policy of recipients that have settings of their own. */
#pragma once

#include "core/smtp/internal.h"

/* The mode of each check for a recipient of this domain, as long as the transaction: those of the domain, and in their
 * place those of the settings, which may be NULL. NULL when memory is out. */
const struct check_setting *own_checks(struct transaction *transaction, const struct domain *domain,
                                       const struct recipient_settings *settings);
/* What a directory has said of a recipient of this domain, which is not empty, as settings for as long as the
 * transaction. A `deliver` among them is a destination that a domain of the snapshot has as well, in the same words.
 * NULL, with *ret_fault, when they cannot be understood, or memory is out. */
const struct recipient_settings *own_settings(struct session *session, const struct domain *domain,
                                              struct span text, const char **ret_fault);
