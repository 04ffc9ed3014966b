/* What it costs a session when it is measured, or when its line in the log has what was known for its decision. */
#include "bench/suite/internal.h"

static void compare(struct suite *suite, enum measured measured, const char *with, const char *without)
{
        struct server *servers[2] = {suite_start(suite->options, with), suite_start(suite->options, without)};

        suite_set_cost(suite, measured, suite->options, servers, "spam-mix");
        for (unsigned i = 0; i < 2; i++)
                server_stop(servers[i]);
}

void suite_records(struct suite *suite)
{
        compare(suite, MEASURED_measuring, "measure_every = 1\n", "measure_every = 0\n");
        compare(suite, MEASURED_facts, "log_facts = 100%\nmeasure_every = 0\n", "measure_every = 0\n");
}
