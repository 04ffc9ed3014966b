/* What the sandbox has refused is told by the main thread, for whoever makes a system call may be in no state to. */
#pragma once

#include "core/smtp/metrics.h"
#include "workers/log/writer.h"

/* An event and a count for each system call that was refused since it was asked last. */
void refused_calls_tell(struct log_writer *log, struct counters *own);
