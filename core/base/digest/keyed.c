/* XXH3 with a secret. */
#include "core/base/digest/keyed.h"

#include <assert.h>
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

struct keyed {
        XXH3_state_t state;
};

static_assert(sizeof(struct keyed) + _Alignof(struct keyed) <= KEYED_ROOM, "one has room wherever it begins");
static_assert(KEYED_SECRET_OCTETS >= XXH3_SECRET_SIZE_MIN, "that is enough of a secret");

struct keyed *keyed_begin(void *memory, const struct keyed_secret *secret)
{
        uintptr_t address = (uintptr_t)memory, over = address % _Alignof(struct keyed);
        struct keyed *keyed =
            (struct keyed *)(over == 0 ? (char *)memory : (char *)memory + _Alignof(struct keyed) - over);

        XXH3_128bits_reset_withSecret(&keyed->state, secret->octets, sizeof secret->octets);
        return keyed;
}

void keyed_add(struct keyed *keyed, struct span octets)
{
        if (octets.length > 0)
                XXH3_128bits_update(&keyed->state, octets.at, octets.length);
}

struct key128 keyed_end(const struct keyed *keyed)
{
        XXH128_canonical_t canonical;
        struct key128 key;

        XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&keyed->state));
        memcpy(key.octets, canonical.digest, sizeof key.octets);
        return key;
}

struct key128 keyed_hash(const struct keyed_secret *secret, const struct span *parts, size_t count)
{
        char memory[KEYED_ROOM];
        struct keyed *keyed = keyed_begin(memory, secret);

        for (size_t i = 0; i < count; i++) {
                uint64_t length = parts[i].length;
                keyed_add(keyed, span_of((const char *)&length, sizeof length));
                keyed_add(keyed, parts[i]);
        }
        return keyed_end(keyed);
}
