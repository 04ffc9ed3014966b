/* What greylist and client_rate cost a session whose sender is known. */
#include "bench/suite/internal.h"

#include <math.h>
#include <time.h>

/* The greylist's delay is longer by so much than the trial of first contacts. */
#define DELAY_SPARE_S 5
#define QUICK_SENDERS 4 /* so that even a short trial sees each */

static void wait_seconds(unsigned seconds)
{
        struct timespec rest = {.tv_sec = (time_t)seconds};

        while (nanosleep(&rest, &rest) != 0)
                ;
}

void suite_senders(struct suite *suite)
{
        struct bench_options with = *suite->options, without = *suite->options;
        char more[600];
        /* The greylist counts whole seconds. */
        unsigned delay_s = (unsigned)ceil(with.seconds) + DELAY_SPARE_S;

        if (suite->divisor > 1)
                with.variety = QUICK_SENDERS;
        with.is_without_dns = without.is_without_dns = true;
        snprintf(more, sizeof more,
                 "sender_store = \"lmdb:@DIR@/state\"\n"
                 "greylist { mode = enforce delay = %us }\n"
                 "client_rate { mode = enforce connections = 1000000/1s transactions = 1000000/1s\n"
                 "messages = 1000000/1s recipients = 1000000/1s prefix4 = 24 }\n",
                 delay_s);
        with.more = more;
        without.more = "client_rate { mode = off }\n";
        struct server *servers[2] = {server_start(&with, PEER_gatepost, false),
                                     server_start(&without, PEER_gatepost, false)};
        struct trial first = suite_trial(suite, &with, servers[0], "first-contact", with.concurrencies[0]);
        trial_free(&first);
        wait_seconds(delay_s + 1);
        suite_set_cost(suite, MEASURED_senders_known, &with, servers, "known-sender");
        for (unsigned i = 0; i < 2; i++)
                server_stop(servers[i]);
}
