/* Moments as text. */
#include "core/base/date.h"

#include <time.h>

void date_write(struct text *text, int64_t wall_s)
{
        time_t seconds = (time_t)wall_s;
        struct tm tm;

        gmtime_r(&seconds, &tm);
        text_printf(text, "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                    tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void date_write_mail(struct text *text, int64_t wall_s)
{
        static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
        static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
        time_t seconds = (time_t)wall_s;
        struct tm tm;

        gmtime_r(&seconds, &tm);
        text_printf(text, "%s, %d %s %d %02d:%02d:%02d +0000", days[tm.tm_wday], tm.tm_mday,
                    months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}
