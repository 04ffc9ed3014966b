/* The certificates in force: the log and the counters tell how long they last, and the keys of tickets are turned.
 * Owner: the main thread, which publishes. */
#pragma once

#include "core/smtp/metrics.h"
#include "workers/log/writer.h"
#include "workers/tls/context.h"
#include "workers/tls/tickets.h"

struct certificates {
        struct tls_tickets tickets;
        struct publication *publication;
        struct log_writer *log;
        struct counters *counters;             /* of the main thread */
        uint64_t next_look_s, next_warnings_s; /* seconds since 1970 */
};

/* Loads those of the first snapshot, and tells of what is wrong on standard error. False when they cannot be used. NULL
 * in *ret_contexts: the snapshot has no TLS; in *ret_hops: it has none to next hops. */
bool certificates_load_first(struct certificates *certificates, const struct snapshot *snapshot,
                             struct tls_contexts **ret_contexts, SSL_CTX **ret_hops);
/* The first snapshot is published. Takes its contexts over, which are NULL without TLS. */
void certificates_begin(struct certificates *certificates, struct tls_contexts *contexts,
                        struct publication *publication, struct log_writer *log, struct counters *counters);
/* Another snapshot is in force, be it the first one: tells of certificates that are new, and of those that end soon.
 * True when there are new ones. */
bool certificates_use(struct certificates *certificates, uint64_t now_s);
/* To be called about once a second. */
void certificates_look(struct certificates *certificates, uint64_t now_s);
void certificates_end(struct certificates *certificates);
