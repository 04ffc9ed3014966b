/* Rates: so many events in so much time. */
#pragma once

#include "conf/value/value.h"

/* For value_set(): "600/1m" or "off". */
bool rate_set(const struct option_row *row, struct span text, struct rate *field, struct text *error);
/* "600/1m", as the configuration has it. */
void rate_write(struct text *text, const struct rate *rate);
