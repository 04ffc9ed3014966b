/* Words for the log and for people. */
#include "workers/inbound/load.h"

const char *const draining_words[] = {
    [DRAINING_NOT] = "serving",
    [DRAINING_ANNOUNCED] = "draining",
    [DRAINING_CLIENTS] = "sending clients away",
};
