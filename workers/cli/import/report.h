/* What a person is told of an import: of each restriction and setting of Postfix what takes its place here. */
#pragma once

#include "workers/cli/import/keep.h"

#include <stdio.h>

enum judgement {
        JUDGED_SAME,
        JUDGED_STRICTER,
        JUDGED_LAXER,
        JUDGED_NOT_NEEDED,
        JUDGED_NOT_TRANSLATED,
        JUDGEMENTS
};

struct report_row {
        struct report_row *next;
        struct span place;  /* "main.cf:12" */
        struct span theirs; /* as Postfix has it */
        const char *ours, *why;
        enum judgement judgement;
        bool is_restriction;
};

/* Rows under one heading. */
struct report_list {
        struct report_row *first, **end;
        struct span title;
        struct report_list *next;
};

/* A line of what is to be done, or to be known. */
struct report_note {
        struct report_note *next;
        struct span text;
};

struct report_notes {
        struct report_note *first, **end;
};

struct report {
        struct keep *keep;
        struct report_list *first, **end;
        struct report_notes todo, known;
        unsigned sending, household, submission; /* settings without a row */
};

void report_init(struct report *report, struct keep *keep);
struct report_list *report_begin_list(struct report *report, struct span title);
/* `theirs` and `place` are kept; `ours` and `why` must live on. The row may be judged anew until it is printed. */
struct report_row *report_add(struct report *report, struct report_list *list, const struct report_row *row);
/* Lines that are there already are not said twice. */
void report_note(struct report *report, struct report_notes *notes, struct span text);
void report_print(const struct report *report, const char *from, FILE *file);
