/* At most one line for each system call and second, because the main thread looks once a second. */
#include "workers/server/bounds/refused_calls.h"

#include "workers/process/sandbox/refused.h"

void refused_calls_tell(struct log_writer *log, struct counters *own)
{
        struct refusals refusals;

        while (refused_next(&refusals)) {
                counter_add(&own->metrics[METRIC_calls_refused], refusals.count);
                log_event(log, "call_refused", "call", refusals.call, "thread", refusals.thread,
                          LOG_NUMBER("number", refusals.number), LOG_NUMBER("count", refusals.count), NULL);
        }
}
