/* Where a thread that gives ids begins. */
#pragma once

#include "core/base/ids/ids.h"
#include "dns/clock.h"

#define IDS_A_SECOND (UINT64_C(1) << 22) /* ids hold the second and 22 bits of the sequence */

/* A restart within a second must not begin where its predecessor did, and of threads that share a number, which `share`
 * counts, each begins elsewhere. `lane`: of the process, see ID_LANES. */
static inline uint64_t ids_begin(uint32_t share, uint32_t lane)
{
        uint64_t begin =
            (uint64_t)(clock_wall_us() % 1000000) * IDS_A_SECOND / 1000000 + share * (IDS_A_SECOND / 4);
        return begin - begin % ID_LANES + lane;
}
