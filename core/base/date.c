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

/* ---- reading ------------------------------------------------------------------------------------------- */

static unsigned number_at(struct span text, size_t at)
{
        return at >= text.length ? 0 : (unsigned)(text.at[at] - '0') * 10 + (unsigned)(text.at[at + 1] - '0');
}

/* Of digits in the form of a date. */
static bool is_in_calendar(struct span text)
{
        static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        unsigned century = number_at(text, 0), year = number_at(text, 2), month = number_at(text, 5),
                 day = number_at(text, 8);
        bool is_leap = year % 4 == 0 && (year != 0 || century % 4 == 0);

        return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] + (month == 2 && is_leap) &&
               number_at(text, 11) < 24 && number_at(text, 14) < 60 && number_at(text, 17) < 60;
}

bool date_is_right(struct span text)
{
        static const char form[] = "dddd-dd-ddTdd:dd:dd";
        bool is_whole = text.length == 10 || text.length == 16 || text.length == 19;

        for (size_t i = 0; i < text.length && is_whole; i++)
                is_whole = form[i] == 'd' ? ascii_is_digit(text.at[i])
                                          : text.at[i] == form[i] || (form[i] == 'T' && text.at[i] == ' ');
        return is_whole && is_in_calendar(text);
}
