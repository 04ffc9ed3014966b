/* What the files of the delivery threads share. */
#pragma once

#include "workers/deliver/delivery.h"

#define PATH_ROOM 4096

/* Runs the jobs of `begun`, and ends those of `published`, the batch before. It blocks on the disk. It
 * returns how many jobs at the front of `begun` are done, with their outcomes. The others are published and
 * come again as `published`, for the sync that makes this durable. So one sync serves two batches: the text
 * of one and the folders of the other. */
size_t delivery_run_batch(struct delivery *delivery, struct delivery_batch *begun,
                          struct delivery_batch *published);

/* Appends the path of the Maildir where this recipient of the message gets it, and a terminator: in quarantine a folder
 * of the mailbox (Maildir++: a directory in it whose name begins with a dot), if the domain has one for that. False,
 * with `path` as before, when it does not fit. */
bool recipient_path_write(struct text *path, const struct message *message,
                          const struct recipient *recipient);

/* Returns the first recipient in the list whose mail goes into a Maildir, or NULL. */
static inline const struct recipient *next_in_maildir(const struct recipient *recipient)
{
        while (recipient != NULL && recipient_deliver(recipient)->kind != DELIVER_MAILDIR)
                recipient = recipient->next;
        return recipient;
}
