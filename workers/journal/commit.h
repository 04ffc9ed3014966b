/* The end of a batch, for all whose records are in it. */
#pragma once

#include "workers/journal/journal.h"

/* What has been put becomes durable, or fails together: then false, with journal->fault. It blocks on the disk. */
bool journal_commit(struct journal *journal);
/* The same, and room for more. The last free segment is for orders, and where that is not enough they may exceed the
 * journal's size a little: without outcomes no segment would ever be free. */
bool journal_make_room(struct journal *journal, enum journal_put full, bool is_order);
/* Whether there is room for more than orders: what they write into is not to be filled with mail. */
void journal_look_for_room(struct journal *journal);
bool journal_takes_mail(struct journal *journal);
/* False. */
bool journal_note_full(struct journal *journal);
/* Fails the item, with a constant. */
void journal_fail_item(struct journal_item *item, enum store_outcome outcome, const char *reason);
/* At most one line a second. */
void journal_complain(struct journal *journal, const char *reason);
