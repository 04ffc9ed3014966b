/* Moments as text. All of them are in UTC, whatever the locale says. `wall_s` is in seconds since 1970. */
#pragma once

#include "core/base/text.h"

#define DATE_TEXT_LENGTH 19 /* of date_write() */

/* Appends "2026-11-25T01:02:03" (RFC 3339 5.6), without a fraction and a zone. */
void date_write(struct text *text, int64_t wall_s);
/* Appends "Wed, 25 Nov 2026 01:02:03 +0000" (RFC 5322 3.3). */
void date_write_mail(struct text *text, int64_t wall_s);
