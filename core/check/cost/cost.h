/* What each check costs, and what it is good for. Questions are counted in all sessions; the time of a processor, and
 * what other checks would have said, in those that are measured; waits in the others, because a session that is
 * measured waits for more. One thread counts, any may read. */
#pragma once

#include "core/base/count/counter.h"
#include "core/check/check.h"

struct check_cost {
        _Atomic uint64_t questions; /* to DNS and to the store of senders, also those that a cache answered */
        /* In sessions that are not measured. */
        _Atomic uint64_t waited_ms; /* that commands and texts were parked while the check had no verdict */
        _Atomic uint64_t alone_ms;  /* of them those in which no other check was waited for */
        /* In sessions that are measured. */
        _Atomic uint64_t busy_ns; /* time in which the check ran */
        _Atomic uint64_t against; /* judgements in which it was against: it refuses or defers, or would */
        _Atomic uint64_t alone;   /* of them those in which no other check that is enforced was against */
};

struct check_costs {
        struct check_cost of[CHECK_COUNT];
        /* Judgements in which both were against; of a check with itself nothing is counted. */
        _Atomic uint64_t together[CHECK_COUNT][CHECK_COUNT];
};

struct cost_mark {
        uint64_t ns;
        uint32_t questions;
};

/* Before the check is called, and behind it. Nothing happens where nobody counts. */
struct cost_mark cost_begin(const struct facts *facts);
void cost_end(const struct facts *facts, enum check_id check, struct cost_mark mark);

/* For so long something was parked while these checks, a bit mask, had no verdict. */
void cost_add_wait(struct check_costs *costs, uint64_t waiting, uint64_t ms);
/* A judgement: the checks that were against, and of them those that are enforced, as bit masks. */
void cost_add_judgement(struct check_costs *costs, uint64_t against, uint64_t enforced);
