/* What the files of the delivery threads share. */
#pragma once

#include "workers/deliver/delivery.h"

#define PATH_ROOM 4096

/* Blocks on the disk: runs the jobs of `begun`, and ends those of `published`, the batch before. Gives the
 * number of jobs at the front of `begun` that are done, with their outcomes; the others are published, and
 * are to come again as `published`, for the sync that makes that durable. So one sync serves two batches: the
 * text of one, the folders of the other. */
size_t delivery_run_batch(struct delivery *delivery, struct delivery_batch *begun,
                          struct delivery_batch *published);

static inline const struct recipient *next_in_maildir(const struct recipient *recipient)
{
        while (recipient != NULL && recipient->domain->deliver.kind != DELIVER_MAILDIR)
                recipient = recipient->next;
        return recipient;
}
