/* What the machines of a fleet tell each other of clients, as text: a penalty that has begun, or what a
 * session has taken from the buckets. Their clocks must agree to some seconds. */
#pragma once

#include "core/senders/rates.h"

#define RATE_NOTICE_MAX 200

/* What one client took from the buckets in one session, and gave back. */
struct rate_counts {
        uint32_t taken[RATE_KINDS];
        uint32_t given_back[RATE_KINDS];
};

/* Appends the notice of a penalty. `excess` is as rates_take_fault() gave it; `wall_ms` is the time of
 * day. */
void rate_notice_write_penalty(struct text *notice, const struct address *client,
                               const struct rate_excess *excess, int64_t wall_ms);
/* Appends the notice of what a session took. */
void rate_notice_write_counts(struct text *notice, const struct address *client,
                              const struct rate_counts *counts, int64_t wall_ms);
/* Tells the ledger of a notice from another machine, by the limits of this one. False when it is no
 * notice. */
bool rate_notice_hear(struct span notice, const struct ledger *ledger, const struct options *options,
                      uint64_t now_ms, int64_t wall_ms);
