/* Tells the log and standard error of trouble with the store, once a minute at most. */
#pragma once

#include "workers/log/writer.h"

/* Owner: the store's thread. */
struct sender_trouble {
        struct log_writer *log;
        const char *instance; /* of Redis; NULL: the store has only one part */
        uint64_t told_ms;     /* when it was told last; 0: the next one is news */
};

void sender_complain(struct sender_trouble *trouble, const char *event, const char *reason);
