/* Between the source of recipients and the worker. */
#include "workers/inbound/recipient/client.h"

#include "workers/inbound/recipient/socketmap.h"
#include "workers/inbound/worker_log.h"

static void ruled(void *owner, uint64_t handle, const struct key128 *key, enum fact fact,
                  const struct ruling *ruling)
{
        connection_ruled(owner, handle, key, fact, ruling);
}

static void failed(void *owner, const char *daemon, const char *key, const char *reason)
{
        worker_log_event(owner, "socketmap_failed", "socketmap", daemon, "to", key, "reason", reason, NULL);
}

bool recipient_client_init(struct worker *worker)
{
        const struct socketmap_host host = {.streams = worker->streams,
                                            .remembered = worker->host.remembered,
                                            .pool = &worker->host.session_pool,
                                            .counters = &worker->counters,
                                            .worker_count = worker->worker_count,
                                            .owner = worker,
                                            .ruled = ruled,
                                            .failed = failed};

        worker->socketmaps = socketmap_source_create(&host);
        worker->host.recipient_sources[RECIPIENTS_AT_SOCKETMAP] = worker->socketmaps;
        return worker->socketmaps != NULL;
}

void recipient_client_end(struct worker *worker)
{
        socketmap_source_destroy(worker->socketmaps);
}
