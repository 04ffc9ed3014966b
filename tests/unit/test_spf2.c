/* The wall around libspf2: its matching of networks against our own arithmetic, for many random ones. */
#include "core/base/expect.h"
#include "core/check/spf/spf2.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>

static bool contains(const struct spf_term *term, const struct address *client)
{
        bool is_ip4 = term->kind == SPF_TERM_IP4;
        struct network network = {term->network, is_ip4 ? (uint8_t)(96 + term->prefix4) : term->prefix6};
        return network_contains(&network, client);
}

/* Addresses that share most bits, so that many networks hold the client. */
static struct address random_address(unsigned *seed, bool is_ip4)
{
        struct address address = {0};

        if (is_ip4)
                memset(address.octets + 10, 0xff, 2);
        else
                address.octets[0] = 0x20;
        for (size_t i = is_ip4 ? 12 : 1; i < 16; i++)
                address.octets[i] = (uint8_t)(rand_r(seed) % 20 == 0 ? rand_r(seed) : 0);
        return address;
}

static void *compare(void *seed_pointer)
{
        unsigned *seed = seed_pointer;

        for (int round = 0; round < 3000; round++) {
                bool is_ip4 = rand_r(seed) % 2;
                struct spf_term terms[SPF2_RUN_MAX];
                struct address client = random_address(seed, is_ip4);
                size_t count = 1 + (size_t)rand_r(seed) % SPF2_RUN_MAX, expected = SIZE_MAX;

                for (size_t i = count; i-- > 0;) {
                        terms[i] = (struct spf_term){.kind = is_ip4 ? SPF_TERM_IP4 : SPF_TERM_IP6,
                                                     .network = random_address(seed, is_ip4),
                                                     .prefix4 = (uint8_t)(1 + rand_r(seed) % 32),
                                                     .prefix6 = (uint8_t)(1 + rand_r(seed) % 128)};
                        if (contains(&terms[i], &client))
                                expected = i;
                }
                expect(spf2_match_networks(&client, terms, count) == expected);
        }
        return NULL;
}

Test(spf2, networks)
{
        unsigned seeds[3] = {1, 2, 3};
        pthread_t threads[2];

        /* Other threads have servers of their own, and free them. */
        for (size_t i = 0; i < 2; i++)
                cr_assert(pthread_create(&threads[i], NULL, compare, &seeds[i]) == 0);
        compare(&seeds[2]);
        for (size_t i = 0; i < 2; i++)
                pthread_join(threads[i], NULL);
        cr_expect(spf2_match_networks(&(struct address){0}, NULL, 0) == SIZE_MAX);
}
