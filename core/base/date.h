/* Moments as text, in UTC and in no locale. */
#pragma once

#include "core/base/text.h"

#define DATE_TEXT_LENGTH 19 /* of date_write() */

/* "2026-11-25T01:02:03" (RFC 3339 5.6, without fraction and zone) */
void date_write(struct text *text, int64_t wall_s);
/* "Wed, 25 Nov 2026 01:02:03 +0000" (RFC 5322 3.3) */
void date_write_mail(struct text *text, int64_t wall_s);
