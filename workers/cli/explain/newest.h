/* The newest mails of those that were found, whatever the order in which the files of the log come. */
#pragma once

#include "workers/cli/explain/tell/teller.h"

#define NEWEST_MAX 100

/* Zero it first. */
struct newest {
        struct newest_mail {
                json_t *line; /* counted */
                const char *time;
                struct occurrence occurrence;
        } mails[NEWEST_MAX]; /* the newest first */
        size_t count;
        size_t left_out;
};

/* `line` is what the occurrence borrows from, and has a "time". */
void newest_add(struct newest *newest, json_t *line, const struct occurrence *occurrence);
void newest_tell(const struct newest *newest, struct teller *teller);
void newest_end(struct newest *newest);
