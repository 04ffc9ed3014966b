/* The upstreams of one pool thread: which one is asked next, and the getdns contexts that ask. Each upstream
 * has a context for UDP and, once an answer was too long, another one for TCP, because getdns knows neither
 * failover nor how to survive a broken TCP stream. */
#pragma once

#include "conf/snapshot.h"
#include "dns/pool/loop.h"
#include "dns/pool/memory.h"

#define DNS_UPSTREAMS_MAX 8

/* A getdns context for one upstream and transport. Retired ones end when their last question has ended, never
 * inside a callback. */
struct resolver {
        struct dns_view view;
        struct dns_memory memory; /* of the context and all that it answers */
        getdns_context *context;
        uint32_t in_flight;
        struct resolver *retired_next;
};

struct upstream {
        struct endpoint endpoint;
        struct resolver *udp, *tcp; /* NULL: none yet */
        uint32_t failures;          /* in a row, without any response between */
        uint64_t dead_until_ms;     /* 0: alive. Then one question probes it */
        uint32_t pause_ms;          /* between probes */
};

struct upstream_set {
        struct dns_loop *loop;
        struct upstream upstreams[DNS_UPSTREAMS_MAX];
        uint32_t count;
        uint32_t generation; /* of the list: results for an older one say nothing about these */
        struct resolver *retired;
        bool is_starved; /* descriptors ran out: set here, cleared by the owner after a pause */
};

/* To be called before any thread makes contexts: libunbound, which getdns brings along, sets up its log with
 * the first one, and two threads at once would both do it. */
void upstream_prepare_library(void);

void upstream_set_init(struct upstream_set *set, struct dns_loop *loop);
/* Cancels what is in flight; its callbacks come with GETDNS_CALLBACK_CANCEL. */
void upstream_set_end(struct upstream_set *set);
/* Later questions go to these upstreams, of which the first DNS_UPSTREAMS_MAX are used. */
void upstream_set_replace(struct upstream_set *set, const struct endpoint *endpoints, size_t count);
/* Ends contexts that are retired and idle, and questions that getdns has left without any event because their
 * sockets could not be opened; their callbacks come with GETDNS_CALLBACK_CANCEL. It may not be called inside
 * a callback. */
void upstream_set_reap(struct upstream_set *set);

/* Chooses the upstream to ask: the first one that is alive or due for a probe, or else the one that has been
 * dead for the longest. Among each of these groups it prefers upstreams that this question has not been put
 * to yet (the bit mask `tried`). It never takes one of the mask `excluded`, and `last` only if there is no
 * other. Returns -1 when none is left. */
int upstream_choose(struct upstream_set *set, uint32_t excluded, uint32_t tried, int last, uint64_t now_ms);
void upstream_responded(struct upstream_set *set, int number);
void upstream_failed(struct upstream_set *set, int number, uint64_t now_ms);

/* Asks. The callback may come before this returns. False, and no callback comes, when it cannot be asked. */
bool upstream_ask(struct upstream_set *set, int number, bool by_tcp, const char *name, uint16_t type,
                  uint64_t timeout_ms, void *argument, getdns_callback_t callback,
                  struct resolver **ret_resolver);
/* Retires a TCP context whose stream had an error. */
void upstream_tcp_spoiled(struct upstream_set *set, int number, const struct resolver *resolver);
