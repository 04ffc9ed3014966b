/* Places for the heaviest networks. */
#include "workers/server/web/refused.h"

#include <stdlib.h>

#define FADE_MS 60000
#define FADE    (1.0 - 1.0 / 64)
#define FADED   0.5 /* less than this is nobody's place any more */

static struct network network_of_key(uint64_t key, struct refused_prefixes prefixes)
{
        struct address address = {{0}};
        bool is_ipv4 = key <= UINT32_MAX;
        uint64_t octets = __builtin_bswap64(key);

        if (!is_ipv4) {
                memcpy(address.octets, &octets, sizeof octets);
                return network_of(&address, prefixes.ipv6 < 64 ? prefixes.ipv6 : 64);
        }
        address = address_of_ipv4((const uint8_t *)&octets + 4);
        return network_of(&address, prefixes.ipv4);
}

static struct refused_network *find(struct refused *refused, const struct network *network)
{
        for (size_t i = 0; i < refused->place_count; i++)
                if (refused->places[i].network.prefix == network->prefix &&
                    address_equals(&refused->places[i].network.address, &network->address))
                        return &refused->places[i];
        return NULL;
}

static struct refused_network *lightest(struct refused *refused)
{
        struct refused_network *found = &refused->places[0];

        for (size_t i = 1; i < refused->place_count; i++)
                if (refused->places[i].count < found->count)
                        found = &refused->places[i];
        return found;
}

/* Whoever is new takes the lightest place with what was counted there: so nobody who is heavy is ever missed. */
static void count(struct refused *refused, const struct network *network, double weight)
{
        struct refused_network *place = find(refused, network);

        if (place == NULL && refused->place_count < REFUSED_PLACES) {
                place = &refused->places[refused->place_count++];
                *place = (struct refused_network){.network = *network};
        } else if (place == NULL) {
                place = lightest(refused);
                *place = (struct refused_network){
                    .network = *network, .count = place->count, .surplus = place->count};
        }
        place->count += weight;
}

/* Of those that were overwritten before anybody looked, the others stand for them. */
void refused_take(struct refused *refused, size_t number, const struct recent *recent,
                  struct refused_prefixes prefixes)
{
        uint64_t end = atomic_load_explicit(&recent->count, memory_order_acquire);
        uint64_t noted = end - refused->seen[number], kept = noted < RECENT_SIZE ? noted : RECENT_SIZE;

        for (uint64_t i = end - kept; i < end; i++) {
                uint64_t key = atomic_load_explicit(&recent->keys[i % RECENT_SIZE], memory_order_relaxed);
                struct network network = network_of_key(key, prefixes);
                count(refused, &network, (double)noted / (double)kept);
        }
        refused->seen[number] = end;
}

void refused_fade(struct refused *refused, uint64_t now_ms)
{
        size_t kept = 0;

        if (refused->fade_ms == 0)
                refused->fade_ms = now_ms + FADE_MS;
        if (now_ms < refused->fade_ms)
                return;
        refused->fade_ms = now_ms + FADE_MS;
        for (size_t i = 0; i < refused->place_count; i++) {
                struct refused_network place = refused->places[i];
                place.count *= FADE;
                place.surplus *= FADE;
                if (place.count >= FADED)
                        refused->places[kept++] = place;
        }
        refused->place_count = kept;
}

static int heavier_first(const void *left, const void *right)
{
        const struct refused_network *const *a = left, *const *b = right;
        double first = (*a)->count - (*a)->surplus, second = (*b)->count - (*b)->surplus;

        return first < second   ? 1
               : first > second ? -1
                                : memcmp(&(*a)->network, &(*b)->network, sizeof(struct network));
}

/* By what is certain of each. */
size_t refused_most(const struct refused *refused, const struct refused_network **ret_networks, size_t room)
{
        const struct refused_network *sorted[REFUSED_PLACES];
        size_t found = refused->place_count < room ? refused->place_count : room;

        for (size_t i = 0; i < refused->place_count; i++)
                sorted[i] = &refused->places[i];
        qsort(sorted, refused->place_count, sizeof(struct refused_network *), heavier_first);
        memcpy(ret_networks, sorted, found * sizeof(struct refused_network *));
        return found;
}
