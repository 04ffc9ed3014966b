/* How the descriptors of the process are shared out. */
#include "workers/server/bounds/descriptors.h"

#include "workers/log/console.h"
#include "workers/journal/plan.h"
#include "workers/server/web/web.h"

#include <sys/resource.h>

/* Descriptors that sessions may not use: log, listeners, epoll and event descriptors, files in the making,
 * resolvers, the control socket and its clients. */
#define DESCRIPTORS_RESERVED   64
#define DESCRIPTORS_PER_THREAD 4

static uint64_t raise_descriptor_limit(uint64_t wanted)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
                return 1024;
        /* More than the hard limit is a privilege. */
        struct rlimit more = {.rlim_cur = wanted, .rlim_max = wanted};
        if (wanted > limit.rlim_max && setrlimit(RLIMIT_NOFILE, &more) == 0)
                return wanted;
        more = (struct rlimit){.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &more) == 0)
                return limit.rlim_max;
        return limit.rlim_cur;
}

/* An eighth of the descriptors at most is for questions to DNS. */
static uint32_t dns_in_flight(uint64_t limit, const struct options *options)
{
        uint64_t share = limit / 8 / options->dns_threads;
        if (share > options->dns_in_flight_max)
                return (uint32_t)options->dns_in_flight_max;
        return share < 16 ? 16 : (uint32_t)share;
}

struct descriptor_shares descriptors_divide(const struct options *options, uint32_t acceptor_count,
                                            uint32_t worker_count, uint32_t delivery_count)
{
        struct descriptor_shares shares;
        /* An acceptor holds a number while it waits for a connection. */
        uint64_t threads = acceptor_count + worker_count + delivery_count + options->hop_threads;
        uint64_t endpoints = options->listen.count + options->proxy_listen.count;
        uint64_t fixed = DESCRIPTORS_RESERVED + HTTP_DESCRIPTORS + LOG_TAIL_DESCRIPTORS + RESOLVER_WATCH_MAX +
                         threads * DESCRIPTORS_PER_THREAD + options->next_hops_connections_max +
                         journal_plan_descriptors(options) +
                         endpoints * (acceptor_count == 0 ? 1 : acceptor_count);
        uint64_t limit =
            raise_descriptor_limit(options->connections_max * 17 / 16 + fixed + UINT64_C(8) * delivery_count);
        uint64_t spools = limit / 16 / delivery_count;

        shares.dns_in_flight = dns_in_flight(limit, options);
        fixed += options->dns_threads * (shares.dns_in_flight + 32);
        shares.spools = spools < 8 ? 8 : (uint32_t)spools;
        fixed += (uint64_t)shares.spools * delivery_count;
        shares.sessions = limit > fixed + 16 ? limit - fixed : 16;
        shares.limit = limit;
        descriptors_warn(&shares, options);
        return shares;
}

void descriptors_warn(const struct descriptor_shares *shares, const struct options *options)
{
        if (options->connections_max > shares->sessions)
                console_warn("gatepost: warning: the descriptor limit of %llu allows %llu sessions only",
                             (unsigned long long)shares->limit, (unsigned long long)shares->sessions);
}
