/* What is wrong, or only odd, with a configuration, in the order found. */
#pragma once

#include "conf/snapshot.h"

struct conf_complaints {
        /* Lines "FILE:LINE: error: ..." or "...: warning: ...", terminated; NULL when there are none. Owner:
         * this. */
        char *text;
        size_t length;
        unsigned errors, warnings;
};

/* A note is not counted. */
enum complaint_kind { COMPLAINT_ERROR, COMPLAINT_WARNING, COMPLAINT_NOTE };

/* Appends "FILE:LINE: error: ...". The line is left out when place->line is 0, and the file when there is
 * none. What is not printable is masked. When memory is out the complaint is counted, but its text is
 * lost. */
void conf_complain(struct conf_complaints *complaints, enum complaint_kind kind, const struct place *place,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The line of the first error, without its end; empty when there is none. Valid until the next complaint. */
struct span conf_complaints_first_error(const struct conf_complaints *complaints);
void conf_complaints_end(struct conf_complaints *complaints);
