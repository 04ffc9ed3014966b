/* A report as a mail in a file of its own, for sendmail -t. */
#pragma once

#include "workers/cli/dmarc_report/report.h"

enum letter_result {
        LETTER_WRITTEN,
        LETTER_KEPT,   /* it is there already, and stays as it is */
        LETTER_FAILED, /* errno says why */
};

struct letter {
        const struct report *report;
        const char *to;
        struct span packed; /* the report */
};

/* Writes it into the folder, whole or not at all; whoever has synced the folder has it. */
enum letter_result letter_write(const struct letter *letter, const char *folder);
