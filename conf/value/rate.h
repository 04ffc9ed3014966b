/* Rates, so many events in so much time; and shares. */
#pragma once

#include "conf/value/value.h"

/* For value_set(): "600/1m" or "off". */
bool rate_set(const struct option_row *row, struct span text, struct rate *field, struct text *error);
/* "600/1m", as the configuration has it. */
void rate_write(struct text *text, const struct rate *rate);

/* Shares are parts of a million. */
#define SHARE_WHOLE 1000000

/* Reads "1%", "0.1 %" or "0" as parts of a million. False when it is none of these, or more than all. */
bool share_parse(struct span text, uint64_t *ret_ppm);
/* For value_set(). */
bool share_set(const struct option_row *row, struct span text, uint64_t *field, struct text *error);
/* "0.1%", as the configuration has it. */
void share_write(struct text *text, uint64_t ppm);
