/* What a shadow has seen so far, for whoever shows it. */
#pragma once

#include "workers/shadow/shadow.h"

#define SHADOW_TOP 5 /* sender domains that are shown */

/* The most frequent names of a change. */
struct shadow_top {
        size_t count;
        struct {
                char name[TALLY_NAME_SIZE];
                uint64_t answers;
        } names[SHADOW_TOP];
};

/* In words of few numbers. */
struct shadow_figures {
        char path[SHADOW_PATH_MAX];
        uint32_t share_ppm;
        int64_t since_s;
        uint64_t judged, changed, unknown, answers;
        uint64_t changes[REHEARSE_CHANGES];
        uint64_t by_check[CHECK_COUNT + 1][REHEARSE_CHANGES];
        struct shadow_counts counts;
};

/* Any thread. False: there is no shadow. */
bool shadow_look(struct shadow *shadow, struct shadow_figures *ret_figures);
/* The same for the domains of senders by each change, none of NONE and UNKNOWN. They are sorted under the lock. */
bool shadow_look_at_domains(struct shadow *shadow, struct shadow_top ret_domains[static REHEARSE_CHANGES]);
/* Any thread: the same and more as a line of JSON. `with_persons`: examples have mailboxes, and names may hold
 * addresses. False: there is no shadow. */
bool shadow_tell(struct shadow *shadow, bool with_persons, struct text *out);
