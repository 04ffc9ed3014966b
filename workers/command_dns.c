/* Waiting for answers, outside of the server. */
#include "workers/command_dns.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <urcu/urcu-memb.h>

bool command_dns_open(struct command_dns *dns, const struct endpoint *resolvers, size_t count)
{
        struct dns_pool_options options = dns_pool_defaults;

        *dns = (struct command_dns){.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
        urcu_memb_register_thread();
        dns->cache = dns_cache_create(&dns_cache_defaults);
        options.cache = dns->cache;
        options.upstreams = resolvers;
        options.upstream_count = count;
        options.threads = 1;
        options.clients = 1;
        if (dns->event_fd >= 0 && dns->cache != NULL)
                dns->pool = dns_pool_create(&options);
        if (dns->pool == NULL) {
                command_dns_close(dns);
                return false;
        }
        dns->client = dns_pool_client(dns->pool, 0, dns->event_fd, &dns->is_asleep);
        dns->source = dns_client_source(dns->client);
        return true;
}

const struct dns_reply_message *command_dns_wait(struct command_dns *dns, int timeout_ms)
{
        const struct dns_reply_message *message;
        struct pollfd event = {.fd = dns->event_fd, .events = POLLIN};
        uint64_t count;

        dns_client_flush(dns->client);
        while ((message = dns_client_receive(dns->client)) == NULL) {
                atomic_store(&dns->is_asleep, true);
                if (dns_client_has_answers(dns->client))
                        continue;
                if (poll(&event, 1, timeout_ms) <= 0)
                        return NULL;
                if (read(dns->event_fd, &count, sizeof count) < 0)
                        continue;
        }
        return message;
}

void command_dns_close(struct command_dns *dns)
{
        if (dns->pool != NULL)
                dns_pool_destroy(dns->pool);
        if (dns->cache != NULL)
                dns_cache_destroy(dns->cache);
        if (dns->event_fd >= 0)
                close(dns->event_fd);
        urcu_memb_unregister_thread();
}
