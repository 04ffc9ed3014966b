/* Writing to a configuration report; for conf/ only. */
#pragma once

#include "conf/snapshot.h"

enum report_kind { REPORT_ERROR, REPORT_WARNING };

/* Appends "FILE:LINE: error: ..."; without line when place->line is 0, without file when there is none. What
 * is not printable is masked. When memory runs out the line is counted, but lost. */
void conf_report_add(struct conf_report *report, enum report_kind kind, const struct place *place,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));
