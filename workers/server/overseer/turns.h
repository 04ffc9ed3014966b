/* How long the turns of some threads last, as somebody sees who looks now and then. It reads no clock. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TURN_STALLED_MS  2000
#define TURN_BEARABLE_MS 500 /* where all are in turns that are so old, that is all that the server bears */

enum turn_news {
        TURN_GOES_ON,
        TURN_STALLS,  /* for TURN_STALLED_MS by now; told once */
        TURN_IS_OVER, /* that had been told of */
};

struct turn_watch {
        uint64_t turn_ms;    /* when the turn that was seen last began; 0: it slept */
        uint64_t stalled_ms; /* since it was first seen */
        bool is_told;
};

/* Owner: one thread. */
struct turns {
        struct turn_watch *watches;
        uint32_t count;
        uint64_t looked_ms; /* 0: not yet */
        uint64_t ages_ms;   /* of this look: of all turns under way */
        uint64_t mean_ms;   /* times WEIGHT, over the last looks and all threads */
};

/* False when memory is out. */
bool turns_init(struct turns *turns, uint32_t count);
void turns_end(struct turns *turns);
/* Thread `number` is in the turn that began then. *ret_stalled_ms: how long the turn lasted, where it is over. Where
 * the looks themselves come late, because the whole process stood still, that counts for little. */
enum turn_news turns_look(struct turns *turns, uint32_t number, uint64_t turn_ms, uint64_t now_ms,
                          uint64_t *ret_stalled_ms);
/* All threads have been looked at. */
void turns_end_look(struct turns *turns, uint64_t now_ms);
/* False while a stall that was told of lasts. */
bool turns_go_on(const struct turns *turns);
/* Of TURN_BEARABLE_MS, over about the last second. */
uint32_t turns_percent(const struct turns *turns);
