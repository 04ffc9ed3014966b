/* Addresses of next hops, as DNS has them. */
#include "workers/hop/addresses.h"

#include "core/base/expect.h"

#define AGAIN_MS      30000 /* DNS fails, and the last known addresses serve */
#define AGAIN_SOON_MS 1000  /* it fails, and there are none */
#define ABSENT_MAX_S  60    /* a name that has no address may get one soon, whatever DNS says */

const enum dns_type hop_question_types[HOP_QUESTIONS] = {
    [HOP_QUESTION_A] = DNS_A, [HOP_QUESTION_AAAA] = DNS_AAAA};

/* ---- answers ------------------------------------------------------------------------------------------- */

void hop_addresses_begin(struct hop_addresses *addresses)
{
        addresses->found = (struct hop_addresses_found){
            .pending = (1u << HOP_QUESTIONS) - 1, .ttl_s = UINT32_MAX, .absent_s = ABSENT_MAX_S};
}

static struct address address_of(enum dns_type type, struct span data)
{
        struct address address;

        if (type == DNS_A)
                return address_of_ipv4((const uint8_t *)data.at);
        memcpy(address.octets, data.at, sizeof address.octets);
        return address;
}

static void add(struct hop_addresses_found *found, enum dns_type type, const struct dns_answer *answer)
{
        size_t length = type == DNS_A ? 4 : sizeof(struct address);

        for (uint16_t i = 0; i < answer->record_count && found->count < HOP_ADDRESSES_MAX; i++)
                if (answer->records[i].data.length == length)
                        found->addresses[found->count++] = address_of(type, answer->records[i].data);
}

/* Where it is among them; their count: nowhere. */
static uint32_t find(const struct hop_addresses *addresses, const struct address *address)
{
        uint32_t i = 0;

        while (i < addresses->count && !address_equals(&addresses->addresses[i].address, address))
                i++;
        return i;
}

/* That one of them is down holds on. */
static void replace(struct hop_addresses *addresses)
{
        const struct hop_addresses_found *found = &addresses->found;
        struct hop_address fresh[HOP_ADDRESSES_MAX];

        for (uint32_t i = 0; i < found->count; i++) {
                uint32_t known = find(addresses, &found->addresses[i]);
                uint64_t down_until_ms =
                    known < addresses->count ? addresses->addresses[known].down_until_ms : 0;
                fresh[i] = (struct hop_address){found->addresses[i], down_until_ms};
        }
        memcpy(addresses->addresses, fresh, found->count * sizeof fresh[0]);
        addresses->count = found->count;
}

static void settle(struct hop_addresses *addresses, uint64_t now_ms)
{
        const struct hop_addresses_found *found = &addresses->found;
        uint64_t good_ms = (uint64_t)(found->count > 0 ? found->ttl_s : found->absent_s) * 1000;

        if (found->has_failed && (found->count == 0 || good_ms > AGAIN_MS))
                good_ms = found->count + addresses->count > 0 ? AGAIN_MS : AGAIN_SOON_MS;
        addresses->good_until_ms = now_ms + (good_ms < AGAIN_SOON_MS ? AGAIN_SOON_MS : good_ms);
        if (found->count > 0 || !found->has_failed)
                replace(addresses);
        addresses->fault = found->has_failed ? "DNS does not answer for its name" : "its name has no address";
}

bool hop_addresses_answer(struct hop_addresses *addresses, enum dns_type type,
                          const struct dns_answer *answer, uint64_t now_ms)
{
        struct hop_addresses_found *found = &addresses->found;
        uint32_t bit = 0;

        for (uint32_t i = 0; i < HOP_QUESTIONS; i++)
                bit |= hop_question_types[i] == type ? 1u << i : 0;
        if ((found->pending & bit) == 0)
                return false;
        found->pending &= ~bit;
        uint32_t *kept_s = answer->fact == FACT_FOUND ? &found->ttl_s : &found->absent_s;
        if (answer->fact == FACT_FOUND)
                add(found, type, answer);
        else if (answer->fact != FACT_ABSENT)
                found->has_failed = true;
        if (answer->fact != FACT_FAILED && answer->ttl_s < *kept_s)
                *kept_s = answer->ttl_s;
        if (found->pending == 0)
                settle(addresses, now_ms);
        return found->pending == 0;
}

/* ---- the choice ---------------------------------------------------------------------------------------- */

bool hop_addresses_have(const struct hop_addresses *addresses, const struct address *address)
{
        return find(addresses, address) < addresses->count;
}

struct address hop_addresses_choose(struct hop_addresses *addresses, uint64_t now_ms)
{
        uint32_t count = addresses->count, chosen = addresses->next;

        expect(count > 0);
        for (uint32_t i = 0; i < count; i++)
                if (now_ms >= addresses->addresses[(chosen + i) % count].down_until_ms) {
                        chosen += i;
                        break;
                }
        addresses->next = (chosen + 1) % count;
        return addresses->addresses[chosen % count].address;
}

bool hop_addresses_fail(struct hop_addresses *addresses, const struct address *address, uint64_t until_ms,
                        uint64_t now_ms)
{
        uint32_t failed = find(addresses, address);

        if (failed < addresses->count)
                addresses->addresses[failed].down_until_ms = until_ms;
        for (uint32_t i = 0; i < addresses->count; i++)
                if (now_ms >= addresses->addresses[i].down_until_ms)
                        return true;
        return false;
}
