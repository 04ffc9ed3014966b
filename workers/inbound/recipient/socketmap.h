/* Recipients of domains with `recipients = "socketmap:..."`: a daemon of the site is asked, in the worker's own loop.
 *
 * The address is asked as `LOCAL@DOMAIN`, in the form in which mailboxes are compared; where that is not found and it
 * has an extension, without it; and at last `@DOMAIN`, which stands for all the others. What has been found out is kept
 * in the memory of rulings, that of `@DOMAIN` too; no failure is. Equal questions on their way at a time are one. */
#pragma once

#include "core/lookup/delivered.h"
#include "core/smtp/metrics.h"
#include "workers/inbound/daemon/stream.h"

/* What it needs of whoever has the sessions. */
struct socketmap_host {
        struct streams *streams;
        const struct remembered *remembered;
        struct block_pool *pool; /* for the time of a call */
        struct counters *counters;
        uint32_t worker_count; /* of all, which share the bounds */
        void *owner;
        /* To a session, which may be gone. */
        void (*ruled)(void *owner, uint64_t handle, const struct key128 *key, enum fact fact,
                      const struct ruling *ruling);
        /* For the log, once a second and daemon at most. */
        void (*failed)(void *owner, const char *daemon, const char *key, const char *reason);
};

/* NULL when memory is out. */
struct recipient_source *socketmap_source_create(const struct socketmap_host *host);
/* Nobody is answered any more. NULL is none. */
void socketmap_source_destroy(struct recipient_source *source);
