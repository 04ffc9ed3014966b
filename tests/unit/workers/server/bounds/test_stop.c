/* What a service manager is told of the time that a stop may take. */
#include "workers/server/bounds/stop.h"

#include <criterion/criterion.h>

Test(stop, the_bound_is_the_sum_of_the_table_in_the_readme)
{
        static const uint64_t rows_s[] = {2, 5, 3, 2, 6, 2, 2, 3, 1, 1, 2, 1, 1, 2, 5, 5};
        static struct server server;
        static struct published published;
        struct snapshot snapshot = {.options = {.shutdown_timeout_ms = 7000}};
        uint64_t sum_ms = snapshot.options.shutdown_timeout_ms;

        for (size_t i = 0; i < sizeof rows_s / sizeof rows_s[0]; i++)
                sum_ms += rows_s[i] * 1000;
        published.snapshot = &snapshot;
        atomic_store(&server.publication.published, &published);
        cr_assert_eq(stop_bound_ms(&server), sum_ms);
}
