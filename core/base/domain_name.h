/* Domain names as SMTP sees them (RFC 5321 4.1.2, RFC 5890). Names are spans without a trailing dot. */
#pragma once

#include "core/base/text.h"

/* RFC 5321 4.5.3.1.2. This bound is no minimum of SMTP alone: DNS has no longer names (RFC 1035 2.3.4). */
#define DOMAIN_NAME_MAX 255

/* True when the name consists of labels of letters, digits and inner hyphens, each of 1 to 63 octets, and has
 * at most 255 octets in all. With `utf8`, U-labels pass too (RFC 6531). */
bool domain_name_is_valid(struct span name, bool utf8);
/* What keeps the name from being a machine's in HELO, as half a sentence about "it": "it has an empty label". NULL:
 * nothing does. Underscores are taken, because honest machines have them in their names. */
const char *domain_name_host_fault(struct span name);
/* Returns the name without the last dot that an absolute name ends in (RFC 1034 3.1): it makes no other name. */
struct span domain_name_without_dot(struct span name);
/* True when the name has at least two labels and the last one is not all digits. The name must be valid. */
bool domain_name_is_qualified(struct span name);
/* Returns the last label. */
struct span domain_name_tld(struct span name);
/* True when `name` is `parent` or lies below it. Letter case does not matter. */
bool domain_name_is_within(struct span name, struct span parent);
/* Appends the name as A-labels in lower case (RFC 5890), the one form in which names are compared and asked
 * for. False when a U-label is not a valid one. Only names that are not ASCII cost an allocation. */
bool domain_name_to_ascii(struct span name, struct text *text);
/* U-labels in place of the A-labels among the labels of `name`, as most programs write them. The same
 * results. */
bool domain_name_to_unicode(struct span name, struct text *text);
/* Returns what stands behind the last "@" of a mailbox, within `address`; it is empty where there is none. */
struct span address_domain(struct span address);
