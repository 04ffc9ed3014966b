/* What a machine of a fleet tells of itself: one line of JSON. Whoever may write into the Redis may have written what
 * is read, so nothing of it is believed that a machine would not say. */
#pragma once

#include "conf/snapshot.h"
#include "core/base/text.h"

#define MACHINE_NAME_MAX    256  /* octets, with a NUL */
#define MACHINE_VERSION_MAX 32   /* the same */
#define MACHINE_RECORD_MAX  2048 /* octets of the line */

/* Since the configuration is in force. A decision is a recipient refused or deferred at RCPT, or what became of a
 * message behind its text. */
struct machine_counts {
        uint64_t sessions, accepted, refused, deferred;
};

/* What another configuration would have answered. */
struct machine_shadow {
        char digest[CONFIGURATION_DIGEST_SIZE];           /* empty: there is none */
        uint64_t compared, unknown;                       /* answers; and those that cannot be compared */
        uint64_t refuses_more, refuses_less, defers_more; /* of those compared */
};

struct machine_record {
        char name[MACHINE_NAME_MAX], version[MACHINE_VERSION_MAX];
        char digest[CONFIGURATION_DIGEST_SIZE]; /* of the configuration in force */
        uint64_t generation;                    /* the number of it since the process began */
        int64_t time_s, start_s, in_force_s;    /* since 1970: of the record, of the process, since when */
        int64_t failed_s;                       /* the last reload, if that has failed; 0: it has not */
        struct machine_counts counts;
        struct machine_shadow shadow;
};

/* Appends the line, without an end. False when there is no room for it. */
bool machine_record_write(const struct machine_record *record, struct text *text);
/* NULL, or what is wrong with the line, a constant. `name` is the one that it was found under, and must be its own. */
const char *machine_record_read(struct span line, struct span name, struct machine_record *ret_record);
