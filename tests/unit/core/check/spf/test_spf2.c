/* The wall around libspf2: its matching of addresses against our own arithmetic, for many random ones. */
#include "core/base/expect.h"
#include "core/check/spf/spf2.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>

#define HOSTS 3

/* Addresses that share most bits, so that many networks hold the client. */
static struct address random_address(unsigned *seed, bool is_ipv4)
{
        struct address address = {0};

        if (is_ipv4)
                memset(address.octets + 10, 0xff, 2);
        else
                address.octets[0] = 0x20;
        for (size_t i = is_ipv4 ? 12 : 1; i < 16; i++)
                address.octets[i] = (uint8_t)(rand_r(seed) % 20 == 0 ? rand_r(seed) : 0);
        return address;
}

struct answers {
        struct spf2_names base; /* first */
        struct dns_answer answer;
};

static enum fact ask(struct spf2_names *base, size_t name, enum dns_type type,
                     const struct dns_answer **ret_answer)
{
        (void)name, (void)type;
        *ret_answer = &((struct answers *)base)->answer;
        return FACT_FOUND;
}

static void compare_one(unsigned *seed)
{
        bool is_ipv4 = rand_r(seed) % 2, expected = false;
        struct address client = random_address(seed, is_ipv4), hosts[HOSTS];
        struct dns_record records[HOSTS];
        struct spf_term term = {.kind = SPF_TERM_A,
                                .prefix4 = (uint8_t)(rand_r(seed) % 33),
                                .prefix6 = (uint8_t)(rand_r(seed) % 129)};
        uint8_t prefix = is_ipv4 ? term.prefix4 : term.prefix6;

        for (size_t i = 0; i < HOSTS; i++) {
                hosts[i] = random_address(seed, is_ipv4);
                const char *at = (const char *)hosts[i].octets;
                records[i] = (struct dns_record){.data = is_ipv4 ? span_of(at + 12, 4) : span_of(at, 16)};
                struct network network = {hosts[i], is_ipv4 ? (uint8_t)(96 + prefix) : prefix};
                expected |= network_contains(&network, &client);
        }
        struct answers answers = {{ask}, {.fact = FACT_FOUND, .record_count = HOSTS, .records = records}};
        expect(spf2_match_names(&client, &term, &answers.base) == (expected ? SPF2_MATCH : SPF2_NO_MATCH));
}

static void *compare(void *seed)
{
        for (int round = 0; round < 3000; round++)
                compare_one(seed);
        return NULL;
}

Test(spf2, addresses)
{
        unsigned seeds[3] = {1, 2, 3};
        pthread_t threads[2];

        /* Other threads have servers of their own, and free them. */
        for (size_t i = 0; i < 2; i++)
                cr_assert(pthread_create(&threads[i], NULL, compare, &seeds[i]) == 0);
        compare(&seeds[2]);
        for (size_t i = 0; i < 2; i++)
                pthread_join(threads[i], NULL);
}
