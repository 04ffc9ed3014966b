/* A round of the writer: what it has in hand becomes records, batches, outcomes. */
#pragma once

#include "workers/journal/journal.h"

/* Puts all items of journal->items into records and commits them. Then each has its outcome, and journal->gathered,
 * which has room for them, tells of the messages. It blocks on the disk. */
void journal_run_round(struct journal *journal);
