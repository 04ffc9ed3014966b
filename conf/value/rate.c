/* Rates as text: so many events in so much time. */
#include "conf/value/rate.h"

#include "conf/value/value.h"

#include <inttypes.h>

#define WINDOW_MIN_MS 1000
#define WINDOW_MAX_MS (UINT64_C(7) * 86400000)

bool rate_set(const struct option_row *row, struct span text, struct rate *field, struct text *error)
{
        size_t slash = span_find(text, '/');
        struct rate rate = {0};

        if (span_equals(text, SPAN("off"))) {
                *field = rate;
                return true;
        }
        if (slash == SIZE_MAX || !span_number(span_of(text.at, slash), &rate.events) ||
            !duration_parse(span_skip(text, slash + 1), &rate.window_ms)) {
                text_put_string(error, "needs a number in a duration, such as 100/1m or 20/10s, or off");
                return false;
        }
        if (rate.events < (uint64_t)row->min || rate.events > (uint64_t)row->max ||
            rate.window_ms < WINDOW_MIN_MS || rate.window_ms > WINDOW_MAX_MS) {
                text_printf(error, "must be from %" PRId64 " to %" PRId64 " in 1s to 7d", row->min, row->max);
                return false;
        }
        *field = rate;
        return true;
}

void rate_write(struct text *text, const struct rate *rate)
{
        if (rate->events == 0) {
                text_put(text, SPAN("off"));
                return;
        }
        text_put_number(text, rate->events);
        text_put_char(text, '/');
        duration_write(text, rate->window_ms);
}
