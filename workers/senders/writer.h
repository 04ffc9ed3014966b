/* The thread that writes the store of senders in LMDB: batches of jobs, the search for expired records, and
 * room for new ones. */
#pragma once

#include "workers/senders/store.h"

/* Runs until the store is stopping and all jobs are done. */
void sender_writer_run(struct sender_store *store);
