/* Counters: each is written by its owner alone and read by anybody; a reader never sees one go back, and
 * nothing is lost. Their sum is the sum of each of them. */
#include "core/base/expect.h"
#include "core/smtp/metrics.h"

#include <pthread.h>

#define OWNERS 3
#define ROUNDS 2000000

static struct counters counters[OWNERS];

static void *count(void *argument)
{
        struct counters *own = argument;
        for (uint64_t i = 0; i < ROUNDS; i++) {
                counter_add(&own->metrics[METRIC_commands], 1);
                if (i % 4 == 0)
                        counter_add(&own->refused[i % CHECK_COUNT], 2);
        }
        return NULL;
}

int main(void)
{
        pthread_t owners[OWNERS];
        uint64_t seen[OWNERS] = {0}, refused = 0, reads = 0;
        bool is_over = false;
        const struct counters *sets[OWNERS] = {&counters[0], &counters[1], &counters[2]};
        struct counters sum;

        for (int i = 0; i < OWNERS; i++)
                expect(pthread_create(&owners[i], NULL, count, &counters[i]) == 0);
        while (!is_over) {
                is_over = true;
                for (int i = 0; i < OWNERS; i++) {
                        uint64_t now = counter_read(&counters[i].metrics[METRIC_commands]);
                        expect(now >= seen[i] && now <= ROUNDS);
                        seen[i] = now;
                        is_over = is_over && now == ROUNDS;
                }
                reads++;
        }
        for (int i = 0; i < OWNERS; i++)
                pthread_join(owners[i], NULL);
        counters_sum(&(struct counters_list){sets, OWNERS}, &sum);
        for (int check = 0; check < CHECK_COUNT; check++)
                refused += counter_read(&sum.refused[check]);
        expect(counter_read(&sum.metrics[METRIC_commands]) == (uint64_t)OWNERS * ROUNDS);
        expect(refused == (uint64_t)OWNERS * ROUNDS / 2);
        printf("%llu reads\n", (unsigned long long)reads);
        return 0;
}
