/* Rungs, from pressures. */
#include "core/base/ladder/ladder.h"

#include <string.h>

const char *const rung_names[RUNG_COUNT] = {
#define RUNG(name, ...) #name,
#include "core/base/ladder/ladder.def"
};

const char *const pressure_names[PRESSURE_COUNT] = {
#define PRESSURE(name, ...) #name,
#include "core/base/ladder/ladder.def"
};

static const uint32_t shares[RUNG_COUNT] = {
#define RUNG(name, share, ...) share,
#include "core/base/ladder/ladder.def"
};

static const enum rung tops[PRESSURE_COUNT] = {
#define PRESSURE(name, top, ...) RUNG_##top,
#include "core/base/ladder/ladder.def"
};

uint32_t rung_begins_at(enum rung rung, uint32_t stress_at)
{
        return rung == RUNG_ease ? 0 : stress_at + (100 - stress_at) * shares[rung] / 100;
}

/* Full is what those who accept say, for they alone count exactly. */
static enum rung rung_of(uint32_t percent, enum rung top, uint32_t stress_at)
{
        enum rung rung = top < RUNG_full ? top : RUNG_full - 1;

        while (percent < rung_begins_at(rung, stress_at))
                rung--;
        return rung;
}

static enum rung asked_for(const struct ladder_load *load, uint32_t stress_at, uint32_t margin,
                           enum pressure *ret_cause)
{
        enum rung highest = RUNG_ease;

        *ret_cause = PRESSURE_connections;
        if (load->is_full)
                return RUNG_full;
        for (enum pressure pressure = 0; pressure < PRESSURE_COUNT; pressure++) {
                uint32_t percent = load->percents[pressure];
                enum rung rung = rung_of(percent == 0 ? 0 : percent + margin, tops[pressure], stress_at);
                if (rung > highest) {
                        highest = rung;
                        *ret_cause = pressure;
                }
        }
        return highest;
}

bool ladder_look(struct ladder *ladder, const struct ladder_load *load, uint32_t stress_at, uint64_t now_ms)
{
        enum pressure cause, held_by;
        enum rung up = asked_for(load, stress_at, 0, &cause);

        if (up > ladder->rung) {
                *ladder = (struct ladder){.rung = up, .cause = cause};
                return true;
        }
        enum rung down = asked_for(load, stress_at, LADDER_MARGIN_PERCENT, &held_by);
        if (ladder->rung == RUNG_ease || down >= ladder->rung) {
                ladder->calm_since_ms = 0;
                return false;
        }
        /* Those who accept have begun again, and they have a margin of their own. */
        if (ladder->rung == RUNG_full) {
                *ladder = (struct ladder){.rung = down};
                return true;
        }
        if (ladder->calm_since_ms == 0)
                ladder->calm_since_ms = now_ms;
        if (now_ms - ladder->calm_since_ms < LADDER_DWELL_MS)
                return false;
        ladder->rung--;
        ladder->calm_since_ms = now_ms;
        return true;
}

enum rung rung_by_name(const char *name, size_t length)
{
        enum rung rung = RUNG_ease;

        while (rung < RUNG_COUNT &&
               (strlen(rung_names[rung]) != length || memcmp(rung_names[rung], name, length) != 0))
                rung++;
        return rung;
}
