/* Addresses of the Sender Rewriting Scheme (SRS), which a forwarder puts in the place of foreign senders so that
 * notifications come back to it: SRS0=HASH=DAY=DOMAIN=LOCAL, and SRS1=HASH=DOMAIN==HASH=DAY=DOMAIN=LOCAL for a
 * sender that was such an address. The hash is the forwarder's, and so is its secret: nobody checks it here. */
#pragma once

#include "core/base/text.h"

#define SRS_DAYS_MAX 21 /* the scheme's own limit, which forwarders use if nobody says otherwise */

/* True when `local_part` has the form of such an address, and its day is no further back than SRS_DAYS_MAX. The
 * day in an SRS1 address is another forwarder's, and does not count. */
bool srs_is_recent(struct span local_part, int64_t wall_s);
