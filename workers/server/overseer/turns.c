/* Ages of turns, and those that do not end. */
#include "workers/server/overseer/turns.h"

#include <stdlib.h>

#define WEIGHT      16  /* one look counts for so little */
#define LATE_MS_MAX 200 /* between two looks counts for no more */

bool turns_init(struct turns *turns, uint32_t count)
{
        *turns = (struct turns){.watches = calloc(count, sizeof turns->watches[0]), .count = count};
        return turns->watches != NULL;
}

void turns_end(struct turns *turns)
{
        free(turns->watches);
}

static uint64_t since_last_look(const struct turns *turns, uint64_t now_ms)
{
        uint64_t passed_ms = turns->looked_ms == 0 ? 0 : now_ms - turns->looked_ms;

        return passed_ms < LATE_MS_MAX ? passed_ms : LATE_MS_MAX;
}

/* Another turn, or sleep. */
static enum turn_news begin(struct turn_watch *watch, uint64_t turn_ms, uint64_t *ret_stalled_ms)
{
        bool was_told = watch->is_told;

        *ret_stalled_ms = watch->stalled_ms;
        *watch = (struct turn_watch){.turn_ms = turn_ms};
        return was_told ? TURN_IS_OVER : TURN_GOES_ON;
}

enum turn_news turns_look(struct turns *turns, uint32_t number, uint64_t turn_ms, uint64_t now_ms,
                          uint64_t *ret_stalled_ms)
{
        struct turn_watch *watch = &turns->watches[number];

        if (turn_ms != 0 && turn_ms < now_ms)
                turns->ages_ms += now_ms - turn_ms < TURN_BEARABLE_MS ? now_ms - turn_ms : TURN_BEARABLE_MS;
        if (turn_ms != watch->turn_ms)
                return begin(watch, turn_ms, ret_stalled_ms);
        if (turn_ms == 0)
                return TURN_GOES_ON;
        watch->stalled_ms += since_last_look(turns, now_ms);
        if (watch->is_told || watch->stalled_ms < TURN_STALLED_MS)
                return TURN_GOES_ON;
        watch->is_told = true;
        return TURN_STALLS;
}

void turns_end_look(struct turns *turns, uint64_t now_ms)
{
        turns->mean_ms += turns->ages_ms / turns->count;
        turns->mean_ms -= turns->mean_ms / WEIGHT;
        turns->ages_ms = 0;
        turns->looked_ms = now_ms;
}

bool turns_go_on(const struct turns *turns)
{
        for (uint32_t i = 0; i < turns->count; i++)
                if (turns->watches[i].is_told)
                        return false;
        return true;
}

uint32_t turns_percent(const struct turns *turns)
{
        return (uint32_t)(turns->mean_ms * 100 / WEIGHT / TURN_BEARABLE_MS);
}
