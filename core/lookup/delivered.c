/* Messages that some of their recipients have: a word for the pair, and two for the message, because a word alone has
 * half a hash only, and whoever is found by mistake gets no mail. */
#include "core/lookup/delivered.h"

struct places {
        uint64_t first, second;
};

static struct places places_of(const struct key128 *key)
{
        struct places places;

        memcpy(&places.first, key->octets, sizeof places.first);
        memcpy(&places.second, key->octets + sizeof places.first, sizeof places.second);
        return places;
}

static struct places message_places(const struct remembered *remembered, const struct key128 *pair,
                                    const struct key128 *text)
{
        const struct span parts[] = {key128_span(pair), key128_span(text)};
        const struct key128 key = keyed_hash(&remembered->secret, parts, 2);
        return places_of(&key);
}

void delivered_add(const struct remembered *remembered, const struct key128 *pair, const struct key128 *text,
                   uint64_t now_ms, uint64_t keep_ms)
{
        struct places message = message_places(remembered, pair, text);

        if (keep_ms == 0)
                return;
        until_add(&remembered->delivered, message.first, now_ms, keep_ms);
        until_add(&remembered->delivered, message.second, now_ms, keep_ms);
        until_add(&remembered->delivered, places_of(pair).first, now_ms, keep_ms);
}

bool delivered_has_some(const struct remembered *remembered, const struct key128 *pair, uint64_t now_ms)
{
        return until_has(&remembered->delivered, places_of(pair).first, now_ms);
}

bool delivered_has(const struct remembered *remembered, const struct key128 *pair, const struct key128 *text,
                   uint64_t now_ms)
{
        struct places message = message_places(remembered, pair, text);

        return delivered_has_some(remembered, pair, now_ms) &&
               until_has(&remembered->delivered, message.first, now_ms) &&
               until_has(&remembered->delivered, message.second, now_ms);
}
