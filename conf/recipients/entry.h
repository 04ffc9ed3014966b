/* An entry of a file of recipients: an address, a local part, or "*", "*@DOMAIN" or "@DOMAIN" for the rest. */
#pragma once

#include "core/base/text.h"

#define RECIPIENT_FAULT_MAX 96 /* octets of what is wrong with an entry */

/* Appends the local part, unquoted, or RECIPIENT_CATCH_ALL to *ret_local_part, which has room for LOCAL_PART_MAX.
 * *ret_domain is what stands behind it: "@" and a domain as it is written, or nothing. NULL, or what is wrong;
 * `message` is room for that. */
const char *recipient_entry_read(struct span entry, struct text *ret_local_part, struct span *ret_domain,
                                 char message[static RECIPIENT_FAULT_MAX]);
/* How people are told of a local part as it is kept. */
struct span recipient_shown(struct span local_part);
