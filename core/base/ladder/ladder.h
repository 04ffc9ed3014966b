/* The ladder of load: which rung the server stands on. It reads no clock and measures nothing; ladder.def is its table.
 *
 * Up it goes at once, to the highest rung that any pressure asks for. Down it goes a rung at a time, when for a second
 * no pressure has come within five percent of where the rung began; but from the rung full at once, for those who
 * accept know when there is room again. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rung {
#define RUNG(name, ...) RUNG_##name,
#include "core/base/ladder/ladder.def"
        RUNG_COUNT
};

enum pressure {
#define PRESSURE(name, ...) PRESSURE_##name,
#include "core/base/ladder/ladder.def"
        PRESSURE_COUNT
};

#define LADDER_DWELL_MS       1000
#define LADDER_MARGIN_PERCENT 5

struct ladder {
        enum rung rung;
        enum pressure cause;    /* of the last way up */
        uint64_t calm_since_ms; /* nothing has asked for this rung since then; 0: something does */
};

/* What is measured, each in percent of its bound. */
struct ladder_load {
        uint32_t percents[PRESSURE_COUNT];
        bool is_full; /* those who accept have stopped, by an exact count of their own */
};

/* Indexed by enum rung and enum pressure. */
extern const char *const rung_names[RUNG_COUNT], *const pressure_names[PRESSURE_COUNT];

/* From this percentage on the rung holds. */
uint32_t rung_begins_at(enum rung rung, uint32_t stress_at);
/* True when the rung has changed. */
bool ladder_look(struct ladder *ladder, const struct ladder_load *load, uint32_t stress_at, uint64_t now_ms);
/* RUNG_COUNT when there is none of that name. */
enum rung rung_by_name(const char *name, size_t length);
