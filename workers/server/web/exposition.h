/* The text format of Prometheus, version 0.0.4. Names are without their prefix, "gatepost_". */
#pragma once

#include "core/base/count/histogram.h"
#include "core/base/text.h"

#define NS_PER_MS UINT64_C(1000000)

/* One label; where its name is NULL there is none. Values may have any octets. */
struct exposition_label {
        const char *name;
        struct span value;
};

#define LABEL(name, value) (&(const struct exposition_label){(name), (value)})

/* Begins a family: all its samples follow. `type`: "counter", "gauge" or "histogram". */
void exposition_family(struct text *out, const char *name, const char *type, const char *help);
/* Both labels may be NULL. */
void exposition_number(struct text *out, const char *name, const struct exposition_label *first,
                       const struct exposition_label *second, uint64_t number);
/* The same of nanoseconds, told in seconds. */
void exposition_seconds(struct text *out, const char *name, const struct exposition_label *first,
                        const struct exposition_label *second, uint64_t ns);
/* In seconds, of what was counted in milliseconds. */
void exposition_histogram(struct text *out, const char *name, const struct exposition_label *label,
                          const struct histogram *histogram);
