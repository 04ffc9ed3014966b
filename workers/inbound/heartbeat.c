/* Words that one thread writes and another one reads. */
#include "workers/inbound/heartbeat.h"

#include <assert.h>
#include <string.h>

static_assert(sizeof(struct address) == 16, "an address is two words");

static const char *const state_names[] = {
#define STATE(name, ...) #name,
#include "core/smtp/states.def"
#undef STATE
};

static void put(_Atomic uint64_t words[static 2], const void *octets)
{
        uint64_t values[2];

        memcpy(values, octets, sizeof values);
        atomic_store_explicit(&words[0], values[0], memory_order_relaxed);
        atomic_store_explicit(&words[1], values[1], memory_order_relaxed);
}

static void get(const _Atomic uint64_t words[static 2], void *ret_octets)
{
        const uint64_t values[2] = {atomic_load_explicit(&words[0], memory_order_relaxed),
                                    atomic_load_explicit(&words[1], memory_order_relaxed)};

        memcpy(ret_octets, values, sizeof values);
}

void heartbeat_serve(struct heartbeat *heartbeat, const struct session_peer *peer, enum session_state state,
                     const char *id)
{
        char octets[HEARTBEAT_ID_SIZE] = {0};

        if (id != NULL)
                memcpy(octets, id, strnlen(id, sizeof octets));
        put(heartbeat->client, &peer->client);
        put(heartbeat->id, octets);
        atomic_store_explicit(&heartbeat->port, peer->client_port, memory_order_relaxed);
        atomic_store_explicit(&heartbeat->state, (uint32_t)state + 1, memory_order_relaxed);
}

struct heartbeat_view heartbeat_look(const struct heartbeat *heartbeat)
{
        uint32_t state = atomic_load_explicit(&heartbeat->state, memory_order_relaxed);
        struct heartbeat_view view = {
            .port = (uint16_t)atomic_load_explicit(&heartbeat->port, memory_order_relaxed)};

        if (state == 0)
                return view;
        view.state = state_names[state - 1];
        get(heartbeat->client, &view.client);
        get(heartbeat->id, view.id);
        return view;
}
