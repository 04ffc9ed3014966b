/* The thread that writes the store of senders in LMDB. It writes jobs in batches, looks for expired records,
 * and makes room for new ones. */
#pragma once

#include "workers/senders/store.h"

/* Runs until the store is stopping and all jobs are done. */
void sender_writer_run(struct sender_store *store);
