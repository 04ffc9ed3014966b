/* The addresses of a next hop that has a name, by DNS (A and AAAA, never MX), and which of them is to be tried. Each
 * holds for its TTL; then DNS is asked again, and while it fails the last known ones serve on. Owner: a hop thread. */
#pragma once

#include "core/base/address.h"
#include "dns/fact.h"

#define HOP_ADDRESSES_MAX 32

struct hop_address {
        struct address address;
        uint64_t down_until_ms; /* it has failed */
};

/* Answers to the questions at hand. */
struct hop_addresses_found {
        struct address addresses[HOP_ADDRESSES_MAX];
        uint32_t count;
        uint32_t pending;  /* bits, by enum hop_question */
        uint32_t ttl_s;    /* the shortest one of addresses */
        uint32_t absent_s; /* that there are none of a kind is known for so long */
        bool has_failed;   /* DNS, about one of them */
};

struct hop_addresses {
        struct hop_address addresses[HOP_ADDRESSES_MAX];
        uint32_t count;
        uint32_t next;          /* is tried next, if it is not down */
        uint64_t good_until_ms; /* DNS is asked again from then on */
        struct hop_addresses_found found;
        const char *fault; /* why there are none, static */
};

enum hop_question { HOP_QUESTION_A, HOP_QUESTION_AAAA, HOP_QUESTIONS };

extern const enum dns_type hop_question_types[HOP_QUESTIONS];

/* The questions have been asked: answers follow, by hop_addresses_answer(). */
void hop_addresses_begin(struct hop_addresses *addresses);
/* The answer to one of them. True when it was the last, and the addresses are as good as they can be now. */
bool hop_addresses_answer(struct hop_addresses *addresses, enum dns_type type,
                          const struct dns_answer *answer, uint64_t now_ms);
static inline bool hop_addresses_are_asked(const struct hop_addresses *addresses)
{
        return addresses->found.pending != 0;
}
static inline bool hop_addresses_are_due(const struct hop_addresses *addresses, uint64_t now_ms)
{
        return now_ms >= addresses->good_until_ms && !hop_addresses_are_asked(addresses);
}
bool hop_addresses_have(const struct hop_addresses *addresses, const struct address *address);
/* Each in its turn; those that are down only while there are no others. There must be one. */
struct address hop_addresses_choose(struct hop_addresses *addresses, uint64_t now_ms);
/* It counts as down until then. True when another one does not. */
bool hop_addresses_fail(struct hop_addresses *addresses, const struct address *address, uint64_t until_ms,
                        uint64_t now_ms);
