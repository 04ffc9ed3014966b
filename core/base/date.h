/* Moments as text. All of them are in UTC, whatever the locale says. `wall_s` is in seconds since 1970. */
#pragma once

#include "core/base/text.h"

#define DATE_TEXT_LENGTH 19 /* of date_write() */

/* Appends "2026-11-25T01:02:03" (RFC 3339 5.6), without a fraction and a zone. */
void date_write(struct text *text, int64_t wall_s);
/* Appends "Wed, 25 Nov 2026 01:02:03 +0000" (RFC 5322 3.3). */
void date_write_mail(struct text *text, int64_t wall_s);
/* True for a day of the calendar, "2026-11-25", also with "T01:02" or "T01:02:03" behind it, or a blank for "T". */
bool date_is_right(struct span text);
