/* What is remembered of recipients at next hops, by all threads together: rulings, and who has which message. */
#pragma once

#include "core/base/until/until.h"
#include "core/lookup/rulings.h"

struct remembered {
        struct keyed_secret secret; /* of all keys in it */
        struct rulings *rulings;
        struct until_table delivered;
};

/* A message for one recipient, of which the client was told that not all have it: its recipient has it. `pair`: the
 * key of sender and recipient; `text`: that of the message as the client sent it. Any thread, without a lock. */
void delivered_add(const struct remembered *remembered, const struct key128 *pair, const struct key128 *text,
                   uint64_t now_ms, uint64_t keep_ms);
/* There is such a message of this pair: the next one may be the same. */
bool delivered_has_some(const struct remembered *remembered, const struct key128 *pair, uint64_t now_ms);
/* The recipient has this message. */
bool delivered_has(const struct remembered *remembered, const struct key128 *pair, const struct key128 *text,
                   uint64_t now_ms);
