/* A list as it is read and asked. Only workers/feed includes this. */
#pragma once

#include "workers/feed/keeper.h"

/* The slot's function as a source. */
enum fact feed_slot_ask(struct dns_source *source, const struct dns_question *question,
                        const struct dns_asker *asker, struct arena *arena, struct dns_answer *ret_answer);
/* Reads the files, and takes what they are if it is fit. True when it was taken; else the slot's reason says why
 * not. */
bool feed_slot_read(struct feed_slot *slot, const _Atomic bool *gives_up);
/* When files have changed: reads them. Tells the log what came of it. */
void feed_slot_look(struct feed_keeper *keeper, struct feed_slot *slot, uint64_t now_ms);
/* A list that has become too old is not asked any more. */
void feed_slot_age(struct feed_keeper *keeper, struct feed_slot *slot);
/* Tells the log what came of reading it. */
void feed_slot_tell(const struct feed_keeper *keeper, const struct feed_slot *slot);
void feed_slot_free(struct feed_slot *slot);
