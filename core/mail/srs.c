/* The form of SRS addresses, and their days. */
#include "core/mail/srs.h"

#define DAY_S     86400
#define DAY_CYCLE 1024 /* ten bits in two digits of base32 (RFC 4648) */

/* Cuts off what stands before the next "=", and that. Empty when there is none. */
static struct span take_field(struct span *rest)
{
        size_t at = span_find(*rest, '=');
        struct span field = span_of(rest->at, at == SIZE_MAX ? 0 : at);

        *rest = span_skip(*rest, at == SIZE_MAX ? rest->length : at + 1);
        return field;
}

static bool is_hash(struct span hash)
{
        for (size_t i = 0; i < hash.length; i++)
                if (!ascii_is_alnum(hash.at[i]) && strchr("+/-_", hash.at[i]) == NULL)
                        return false;
        return hash.length >= 4;
}

static int base32_value(char c)
{
        char lower = ascii_lower(c);
        return lower >= 'a' && lower <= 'z'   ? lower - 'a'
               : lower >= '2' && lower <= '7' ? lower - '2' + 26
                                              : -1;
}

static bool is_recent(struct span day, int64_t wall_s)
{
        if (day.length != 2 || base32_value(day.at[0]) < 0 || base32_value(day.at[1]) < 0)
                return false;
        int64_t made = base32_value(day.at[0]) << 5 | base32_value(day.at[1]);
        /* One that is a day ahead comes from another machine's clock. */
        int64_t age = (wall_s / DAY_S + 1 - made + DAY_CYCLE) % DAY_CYCLE;
        return age <= SRS_DAYS_MAX + 1;
}

bool srs_is_recent(struct span local_part, int64_t wall_s)
{
        bool is_first = span_starts_nocase(local_part, SPAN("SRS0"));

        if (local_part.length < 6 || (!is_first && !span_starts_nocase(local_part, SPAN("SRS1"))) ||
            strchr("=+-", local_part.at[4]) == NULL)
                return false;
        struct span rest = span_skip(local_part, 5);
        if (!is_hash(take_field(&rest)))
                return false;
        if (is_first && !is_recent(take_field(&rest), wall_s))
                return false;
        struct span domain = take_field(&rest);
        return span_find(domain, '.') != SIZE_MAX && rest.length > 0;
}
