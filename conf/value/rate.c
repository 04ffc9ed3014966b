/* Rates as text: so many events in so much time; and shares of a whole. */
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

/* ---- shares -------------------------------------------------------------------------------------------- */

#define SHARE_PERCENT  10000 /* parts of a million */
#define SHARE_DECIMALS 4

bool share_parse(struct span text, uint64_t *ret_ppm)
{
        bool is_percent = text.length > 0 && text.at[text.length - 1] == '%';
        struct span number = is_percent ? span_trim(span_of(text.at, text.length - 1)) : text;
        size_t point = span_find(number, '.'), end = point < number.length ? point : number.length;
        struct span decimals = span_skip(number, end + 1);
        uint64_t whole, part = 0;

        if (!span_number(span_of(number.at, end), &whole) || whole > 100 || (!is_percent && whole != 0) ||
            decimals.length > SHARE_DECIMALS || (point != SIZE_MAX && !span_number(decimals, &part)))
                return false;
        for (size_t i = decimals.length; i < SHARE_DECIMALS; i++)
                part *= 10;
        part += whole * SHARE_PERCENT;
        if (part > SHARE_WHOLE || (!is_percent && part > 0))
                return false;
        *ret_ppm = part;
        return true;
}

bool share_set(const struct option_row *row, struct span text, uint64_t *field, struct text *error)
{
        uint64_t ppm;

        if (!share_parse(text, &ppm) || ppm < (uint64_t)row->min || ppm > (uint64_t)row->max) {
                text_put_string(error, "needs a share from 0 to 100%, such as 1% or 0.1%");
                return false;
        }
        *field = ppm;
        return true;
}

void share_write(struct text *text, uint64_t ppm)
{
        uint64_t part = ppm % SHARE_PERCENT;

        text_put_number(text, ppm / SHARE_PERCENT);
        if (part > 0) {
                text_put_char(text, '.');
                for (uint64_t place = SHARE_PERCENT / 10; part > 0; part %= place, place /= 10)
                        text_put_char(text, (char)('0' + part / place));
        }
        text_put_char(text, '%');
}
