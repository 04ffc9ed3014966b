/* Names of the counters. */
#include "core/smtp/metrics.h"

const char *const metric_names[METRIC_COUNT] = {
#define METRIC(name, help) #name,
#include "core/smtp/metrics.def"
#undef METRIC
};
