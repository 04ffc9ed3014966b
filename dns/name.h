/* Names between their three shapes: as somebody wrote them, as a dns_question has them, and on the wire (RFC
 * 1035 3.1). */
#pragma once

#include "core/base/text.h"

#define DNS_NAME_MAX  253 /* presentation form without a trailing dot */
#define DNS_LABEL_MAX 63  /* RFC 1035 2.3.4 */
#define DNS_CHAIN_MAX                                                                                        \
        8 /* questions again for the target of a CNAME; and twice as many links in one response */

/* Lower case, without a trailing dot, appended to *text. False, and nothing appended, for names that cannot
 * be asked for: the root, empty or long labels, long names, backslash, control and non-ASCII octets. */
bool dns_name_normalise(struct span name, struct text *text);
/* From the uncompressed wire form, in lower case; the root gives nothing. Octets that could not be asked for
 * become \DDD (RFC 4343 2.1), so that the name can be shown and is ABSENT when asked for. False, and nothing
 * appended, when it is no wire name. */
bool dns_name_from_wire(struct span wire, struct text *text);
/* The end of a name, in normal form, that stands for who answers for it: what somebody has registered, such as
 * "example.com", "example.co.uk", "abc.de"; "0.192.in-addr.arpa". By the Public Suffix List that libpsl was
 * built with: a guess, good enough to share resources by. Takes about a microsecond. */
struct span dns_name_authority(struct span name);
