/* A configuration that sessions are played under, with the files of its DNS lists. */
#pragma once

#include "conf/snapshot.h"
#include "workers/feed/keeper.h"

struct loaded {
        struct snapshot *snapshot;
        struct feed_keeper feeds;
};

/* What is wrong with it is told on standard error. False when it cannot be used; then nothing is to be ended. */
bool loaded_begin(struct loaded *loaded, const char *path);
void loaded_end(struct loaded *loaded);
