/* Names have three shapes: as somebody wrote them, as a dns_question has them, and on the wire (RFC 1035
 * 3.1). These functions lead from one to another. */
#pragma once

#include "core/base/text.h"

#define DNS_NAME_MAX  253 /* presentation form without a trailing dot */
#define DNS_LABEL_MAX 63  /* RFC 1035 2.3.4 */
/* So often the target of a CNAME is asked for in its turn. One response may have twice as many links. */
#define DNS_CHAIN_MAX 8

/* Appends the name in lower case and without a trailing dot. False, and nothing appended, for a name that
 * cannot be asked for: the root, or one with an empty or too long label, too many octets, a backslash, a
 * control character or an octet that is not ASCII. */
bool dns_name_normalise(struct span name, struct text *text);
/* Appends a name that is given in uncompressed wire form, in lower case. The root gives nothing. An octet
 * that could not be asked for becomes \DDD (RFC 4343 2.1), so that the name can be shown and is ABSENT when
 * asked for. False, and nothing appended, when `wire` is no name. */
bool dns_name_from_wire(struct span wire, struct text *text);
/* Returns the end of a name that stands for whoever answers for it, which is what somebody has registered:
 * "example.com", "example.co.uk", "abc.de", or "0.192.in-addr.arpa". `name` is in normal form. It goes by the
 * Public Suffix List that libpsl was built with. It is a guess that is good enough to share resources by, and
 * takes about a microsecond. */
struct span dns_name_authority(struct span name);
