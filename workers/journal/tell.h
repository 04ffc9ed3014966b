/* What the log is told of a message that a next hop was tried with, by the id that its client was told. */
#pragma once

#include "workers/journal/drain.h"

/* So many recipients it has taken now, and so many wait for another time. */
void tell_tried(const struct journal_drain *drain, const struct journal_delivery *delivery,
                uint32_t delivered, uint32_t waiting);
/* Of so many a dead letter was made, or could not be because of this fault. */
void tell_dead(const struct journal_drain *drain, const struct journal_delivery *delivery, uint32_t dead,
               const char *fault);
