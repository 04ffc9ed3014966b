/* Health of upstreams, and life of their contexts. */
#include "dns/pool/upstream.h"

#include "conf/socket_address.h"
#include "core/base/expect.h"

#include <pthread.h>

#define FAILURES_MAX 3 /* in a row, then it counts as dead */
#define PAUSE_MIN_MS 1000
#define PAUSE_MAX_MS 16000
#define EDNS_OCTETS  1232 /* no fragments on common paths */
#define TCP_IDLE_MS  10000

/* ---- contexts ------------------------------------------------------------------------------------------ */

static getdns_dict *endpoint_to_dict(const struct endpoint *endpoint)
{
        const struct address *address = &endpoint->address;
        bool is_ipv4 = address_is_ipv4(address);
        getdns_bindata type = {5, (uint8_t *)(is_ipv4 ? "IPv4" : "IPv6")};
        uint8_t octets[16];
        size_t length = is_ipv4 ? 4 : 16;
        memcpy(octets, address->octets + 16 - length, length);
        getdns_bindata data = {length, octets};

        getdns_dict *dict = getdns_dict_create();
        if (dict != NULL && getdns_dict_set_bindata(dict, "address_type", &type) == GETDNS_RETURN_GOOD &&
            getdns_dict_set_bindata(dict, "address_data", &data) == GETDNS_RETURN_GOOD &&
            getdns_dict_set_int(dict, "port", endpoint->port) == GETDNS_RETURN_GOOD)
                return dict;
        getdns_dict_destroy(dict);
        return NULL;
}

static bool context_set_upstream(getdns_context *context, const struct endpoint *endpoint)
{
        getdns_dict *dict = endpoint_to_dict(endpoint);
        getdns_list *list = getdns_list_create();
        bool is_set = dict != NULL && list != NULL &&
                      getdns_list_set_dict(list, 0, dict) == GETDNS_RETURN_GOOD &&
                      getdns_context_set_upstream_recursive_servers(context, list) == GETDNS_RETURN_GOOD;
        getdns_list_destroy(list);
        getdns_dict_destroy(dict);
        return is_set;
}

static bool context_configure(getdns_context *context, const struct endpoint *endpoint, bool is_tcp)
{
        getdns_namespace_t dns_only = GETDNS_NAMESPACE_DNS;
        getdns_transport_list_t transport = is_tcp ? GETDNS_TRANSPORT_TCP : GETDNS_TRANSPORT_UDP;

        return getdns_context_set_resolution_type(context, GETDNS_RESOLUTION_STUB) == GETDNS_RETURN_GOOD &&
               getdns_context_set_namespaces(context, 1, &dns_only) == GETDNS_RETURN_GOOD &&
               getdns_context_set_append_name(context, GETDNS_APPEND_NAME_NEVER) == GETDNS_RETURN_GOOD &&
               getdns_context_set_dns_transport_list(context, 1, &transport) == GETDNS_RETURN_GOOD &&
               getdns_context_set_edns_maximum_udp_payload_size(context, EDNS_OCTETS) == GETDNS_RETURN_GOOD &&
               getdns_context_set_idle_timeout(context, TCP_IDLE_MS) == GETDNS_RETURN_GOOD &&
               context_set_upstream(context, endpoint);
}

/* Under AddressSanitizer malloc() itself, which sees misuse. */
static getdns_return_t context_create(struct resolver *resolver)
{
#ifdef __SANITIZE_ADDRESS__
        return getdns_context_create(&resolver->context, 0);
#else
        return getdns_context_create_with_extended_memory_functions(
            &resolver->context, 0, &resolver->memory, dns_memory_take, dns_memory_resize, dns_memory_give);
#endif
}

static struct resolver *resolver_create(struct dns_loop *loop, const struct endpoint *endpoint, bool is_tcp)
{
        struct resolver *resolver = calloc(1, sizeof *resolver);
        struct sockaddr_storage peer;
        socklen_t length = address_to_socket(&endpoint->address, endpoint->port, &peer);

        if (resolver == NULL)
                return NULL;
        if (context_create(resolver) == GETDNS_RETURN_GOOD) {
                dns_view_init(&resolver->view, loop, &peer, is_tcp ? 0 : length);
                if (context_configure(resolver->context, endpoint, is_tcp) &&
                    getdns_context_set_eventloop(resolver->context, &resolver->view.base) ==
                        GETDNS_RETURN_GOOD)
                        return resolver;
                getdns_context_destroy(resolver->context);
        }
        dns_memory_end(&resolver->memory);
        free(resolver);
        return NULL;
}

static void make_one_context(void)
{
        getdns_context *context;

        if (getdns_context_create(&context, 0) == GETDNS_RETURN_GOOD)
                getdns_context_destroy(context);
}

void upstream_prepare_library(void)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        pthread_once(&once, make_one_context);
}

static void resolver_destroy(struct resolver *resolver)
{
        getdns_context_destroy(resolver->context);
        dns_memory_end(&resolver->memory);
        free(resolver);
}

static void resolver_retire(struct upstream_set *set, struct resolver **resolver)
{
        if (*resolver == NULL)
                return;
        (*resolver)->retired_next = set->retired;
        set->retired = *resolver;
        *resolver = NULL;
}

/* ---- the set ------------------------------------------------------------------------------------------- */

void upstream_set_init(struct upstream_set *set, struct dns_loop *loop)
{
        *set = (struct upstream_set){.loop = loop};
}

void upstream_set_replace(struct upstream_set *set, const struct endpoint *endpoints, size_t count)
{
        for (uint32_t i = 0; i < set->count; i++) {
                resolver_retire(set, &set->upstreams[i].udp);
                resolver_retire(set, &set->upstreams[i].tcp);
        }
        set->count = count > DNS_UPSTREAMS_MAX ? DNS_UPSTREAMS_MAX : (uint32_t)count;
        for (uint32_t i = 0; i < set->count; i++)
                set->upstreams[i] = (struct upstream){.endpoint = endpoints[i], .pause_ms = PAUSE_MIN_MS};
        set->generation++;
}

/* Questions that it keeps without a descriptor, and none in flight whose end would move them: safe to
 * destroy. */
static bool resolver_is_stuck(const struct resolver *resolver)
{
        return resolver != NULL && resolver->in_flight > 0 && resolver->view.active == 0;
}

void upstream_set_reap(struct upstream_set *set)
{
        for (uint32_t i = 0; i < set->count; i++) {
                if (resolver_is_stuck(set->upstreams[i].udp))
                        resolver_retire(set, &set->upstreams[i].udp);
                if (resolver_is_stuck(set->upstreams[i].tcp))
                        resolver_retire(set, &set->upstreams[i].tcp);
        }
        for (struct resolver **link = &set->retired, *resolver; (resolver = *link) != NULL;) {
                if (resolver->in_flight > 0 && !resolver_is_stuck(resolver)) {
                        link = &resolver->retired_next;
                } else {
                        *link = resolver->retired_next;
                        resolver_destroy(resolver);
                }
        }
}

void upstream_set_end(struct upstream_set *set)
{
        upstream_set_replace(set, NULL, 0);
        while (set->retired != NULL) {
                struct resolver *resolver = set->retired;
                set->retired = resolver->retired_next;
                resolver_destroy(resolver);
        }
}

/* ---- health -------------------------------------------------------------------------------------------- */

/* Lower is better. */
static uint64_t upstream_rank(const struct upstream *upstream, bool was_tried, bool is_last, uint64_t now_ms)
{
        if (is_last)
                return UINT64_MAX;
        if (upstream->dead_until_ms <= now_ms)
                return was_tried;
        return was_tried ? UINT64_MAX / 2 + upstream->dead_until_ms : upstream->dead_until_ms;
}

int upstream_choose(struct upstream_set *set, uint32_t excluded, uint32_t tried, int last, uint64_t now_ms)
{
        int chosen = -1;
        uint64_t least = 0;

        for (int i = 0; i < (int)set->count; i++) {
                uint64_t rank = upstream_rank(&set->upstreams[i], tried >> i & 1, i == last, now_ms);
                if ((excluded >> i & 1) || (chosen >= 0 && rank >= least))
                        continue;
                chosen = i;
                least = rank;
        }
        if (chosen < 0)
                return -1;
        /* The first question after the pause is the probe; others keep away until it is answered. */
        struct upstream *upstream = &set->upstreams[chosen];
        if (upstream->dead_until_ms != 0 && upstream->dead_until_ms <= now_ms) {
                upstream->pause_ms =
                    upstream->pause_ms < PAUSE_MAX_MS ? upstream->pause_ms * 2 : PAUSE_MAX_MS;
                upstream->dead_until_ms = now_ms + upstream->pause_ms;
        }
        return chosen;
}

void upstream_responded(struct upstream_set *set, int number)
{
        set->upstreams[number].failures = 0;
        set->upstreams[number].dead_until_ms = 0;
        set->upstreams[number].pause_ms = PAUSE_MIN_MS;
}

void upstream_failed(struct upstream_set *set, int number, uint64_t now_ms)
{
        struct upstream *upstream = &set->upstreams[number];

        if (++upstream->failures >= FAILURES_MAX && upstream->dead_until_ms == 0)
                upstream->dead_until_ms = now_ms + upstream->pause_ms;
}

/* ---- asking -------------------------------------------------------------------------------------------- */

bool upstream_ask(struct upstream_set *set, int number, bool by_tcp, const char *name, uint16_t type,
                  uint64_t timeout_ms, void *argument, getdns_callback_t callback,
                  struct resolver **ret_resolver)
{
        struct upstream *upstream = &set->upstreams[number];
        struct resolver **slot = by_tcp ? &upstream->tcp : &upstream->udp;

        if (*slot == NULL)
                *slot = resolver_create(set->loop, &upstream->endpoint, by_tcp);
        struct resolver *resolver = *slot;
        if (resolver == NULL ||
            getdns_context_set_timeout(resolver->context, timeout_ms) != GETDNS_RETURN_GOOD)
                return false;
        *ret_resolver = resolver; /* before the call: its callback looks there */
        uint64_t scheduled = resolver->view.scheduled;
        uint32_t in_flight = resolver->in_flight++;
        if (getdns_general(resolver->context, name, type, NULL, argument, NULL, callback) !=
            GETDNS_RETURN_GOOD) {
                resolver->in_flight--;
                return false;
        }
        /* Without a descriptor getdns keeps the question, and no timer with it, until another one ends: then
         * it tries all that it keeps. To cancel such a question makes it use freed memory. */
        if (resolver->view.scheduled == scheduled && resolver->in_flight > in_flight)
                set->is_starved = true;
        return true;
}

void upstream_tcp_spoiled(struct upstream_set *set, int number, const struct resolver *resolver)
{
        if (set->upstreams[number].tcp == resolver)
                resolver_retire(set, &set->upstreams[number].tcp);
}
