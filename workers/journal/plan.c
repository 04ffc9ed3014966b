/* Options into settings. */
#include "workers/journal/plan.h"

#include <stdio.h>

/* A message has this many octets of the journal at least, with its head, its envelope and what we put before it; so its
 * 84 octets of the index are less than a tenth. */
#define MESSAGE_OCTETS 1024
#define DESCRIPTORS    8 /* folder, lock, events, and a dead letter with its folders */

bool journal_plan_make(struct journal_plan *plan, const struct options *options)
{
        const char *dead = options->journal_dead_letters;

        if (options->journal[0] == '\0')
                return false;
        snprintf(plan->path, sizeof plan->path, "%s", options->journal);
        int length =
            snprintf(plan->dead_letters, sizeof plan->dead_letters, "%s%s",
                     dead[0] == '\0' ? options->journal : dead, dead[0] == '\0' ? "/dead-letters" : "");
        if (length < 0 || (size_t)length >= sizeof plan->dead_letters)
                return false; /* no path is so long that a file could be opened there */
        plan->settings = (struct journal_settings){
            .path = plan->path,
            .size = options->journal_size_octets,
            .segment_size = options->journal_segment_octets,
            .messages_max = options->journal_size_octets / MESSAGE_OCTETS,
        };
        plan->drain = (struct journal_drain_settings){
            .dead_letters = plan->dead_letters,
            .lifetime_ms = options->journal_lifetime_ms,
            .retry_min_ms = options->journal_retry_min_ms,
            .retry_max_ms = options->journal_retry_max_ms,
            .in_flight_max = (uint32_t)options->journal_in_flight,
        };
        return true;
}

uint64_t journal_plan_descriptors(const struct options *options)
{
        if (options->journal[0] == '\0')
                return 0;
        return options->journal_size_octets / options->journal_segment_octets + DESCRIPTORS;
}
