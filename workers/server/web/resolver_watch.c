/* A question of seventeen octets, and whoever answers it. */
#include "workers/server/web/resolver_watch.h"

#include "conf/socket_address.h"

#include <sys/random.h>
#include <unistd.h>

#define ASK_MS        5000
#define ASK_SILENT_MS 1000
#define LATELY_MS     15000
#define HEADER        12

/* Too few octets are no answer of DNS (RFC 1035 4.1.1). */
static bool is_answer(const struct watched_resolver *resolver, const uint8_t *octets, ssize_t length)
{
        return length >= HEADER && (octets[0] << 8 | octets[1]) == resolver->id && (octets[2] & 0x80) != 0;
}

static void listen_to(struct watched_resolver *resolver, uint64_t now_ms)
{
        uint8_t octets[512];
        ssize_t length;

        while (resolver->fd >= 0 && (length = recv(resolver->fd, octets, sizeof octets, MSG_DONTWAIT)) > 0)
                if (is_answer(resolver, octets, length))
                        resolver->answered_ms = now_ms;
}

/* NS of the root, with the wish for recursion. */
static void ask(struct watched_resolver *resolver)
{
        uint8_t octets[] = {0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1};

        if (resolver->fd < 0 || getrandom(octets, 2, 0) != 2)
                return;
        resolver->id = (uint16_t)(octets[0] << 8 | octets[1]);
        if (send(resolver->fd, octets, sizeof octets, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
                return; /* as if it had been lost on the way */
}

static void open_resolver(struct watched_resolver *resolver, const struct endpoint *endpoint)
{
        struct sockaddr_storage storage;
        socklen_t length = address_to_socket(&endpoint->address, endpoint->port, &storage);

        *resolver = (struct watched_resolver){
            .endpoint = *endpoint,
            .fd = socket(storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
        };
        if (resolver->fd < 0 || connect(resolver->fd, (const struct sockaddr *)&storage, length) == 0)
                return;
        close(resolver->fd);
        resolver->fd = -1;
}

static bool is_as_wanted(const struct resolver_watch *watch, const struct endpoint_list *wanted, size_t count)
{
        bool is_same = watch->count == count;

        for (size_t i = 0; i < count && is_same; i++)
                is_same = endpoint_equals(&watch->resolvers[i].endpoint, &wanted->endpoints[i]);
        return is_same;
}

void resolver_watch_look(struct resolver_watch *watch, const struct endpoint_list *wanted, uint64_t now_ms)
{
        size_t count = wanted->count < RESOLVER_WATCH_MAX ? wanted->count : RESOLVER_WATCH_MAX;

        if (!is_as_wanted(watch, wanted, count)) {
                resolver_watch_end(watch);
                for (; watch->count < count; watch->count++)
                        open_resolver(&watch->resolvers[watch->count], &wanted->endpoints[watch->count]);
        }
        for (size_t i = 0; i < count; i++)
                listen_to(&watch->resolvers[i], now_ms);
        if (now_ms < watch->ask_ms)
                return;
        watch->ask_ms = now_ms + (resolver_watch_is_well(watch, now_ms) ? ASK_MS : ASK_SILENT_MS);
        for (size_t i = 0; i < count; i++)
                ask(&watch->resolvers[i]);
}

bool resolver_answers(const struct watched_resolver *resolver, uint64_t now_ms)
{
        return resolver->answered_ms != 0 && now_ms < resolver->answered_ms + LATELY_MS;
}

bool resolver_watch_is_well(const struct resolver_watch *watch, uint64_t now_ms)
{
        bool is_well = watch->count == 0;

        for (size_t i = 0; i < watch->count; i++)
                is_well |= resolver_answers(&watch->resolvers[i], now_ms);
        return is_well;
}

void resolver_watch_end(struct resolver_watch *watch)
{
        for (size_t i = 0; i < watch->count; i++)
                if (watch->resolvers[i].fd >= 0)
                        close(watch->resolvers[i].fd);
        *watch = (struct resolver_watch){0};
}
