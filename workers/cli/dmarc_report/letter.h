/* A report as a mail in a file of its own, for sendmail -t. */
#pragma once

#include "workers/cli/dmarc_report/report.h"

#define LETTER_NAME_MAX 255

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

/* The name of its file: the same for the same report and address, with nothing in it that a shell or a folder would
 * obey. */
void letter_put_name(struct text *text, const struct letter *letter);
/* Writes it into the folder, whole or not at all; whoever has synced the folder has it. */
enum letter_result letter_write(const struct letter *letter, const char *folder);
