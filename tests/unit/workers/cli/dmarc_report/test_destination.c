/* How long is waited for hosts of strangers that answer nothing. */
#include "workers/cli/dmarc_report/destination.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <unistd.h>

#define QUESTION_MS 150

static struct destination_look look;
static struct options options = {
    .dns_cache_size_octets = 1 << 20,
    .dns_threads = 1,
    .dns_attempt_timeout_ms = 100,
    .dns_question_timeout_ms = QUESTION_MS,
    .dns_in_flight_max = 16,
    .dns_waiting_max = 16,
};
static int resolver = -1; /* takes questions, and never answers */

static void begin(void)
{
        struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t length = sizeof name;
        static struct endpoint endpoint;

        resolver = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        cr_assert(bind(resolver, (struct sockaddr *)&name, length) == 0);
        cr_assert(getsockname(resolver, (struct sockaddr *)&name, &length) == 0);
        cr_assert(address_parse(SPAN("127.0.0.1"), &endpoint.address));
        endpoint.port = ntohs(name.sin_port);
        options.resolvers = (struct endpoint_list){&endpoint, 1};
        cr_assert(destination_look_begin(&look, &options));
}

static void end(void)
{
        destination_look_end(&look);
        close(resolver);
}

/* How many questions there were. */
static size_t find(const char *domain, const char *uris)
{
        struct destinations destinations;
        char octets[512];
        size_t questions = 0;

        destinations_find(&look, span_from(domain), span_from(uris), &destinations);
        cr_expect_eq(destinations.count, 0);
        while (recv(resolver, octets, sizeof octets, 0) > 0)
                questions++;
        return questions;
}

Test(destination, hosts_that_answer_nothing_are_waited_for_no_longer_than_that, .init = begin, .fini = end)
{
        look.failed_max_ms = QUESTION_MS + QUESTION_MS / 2;
        cr_expect_gt(find("one.example", "mailto:r@dead.example"), 0);
        cr_expect_geq(look.failed_ms, QUESTION_MS - 20);
        cr_expect_gt(find("two.example", "mailto:r@dead.example,mailto:r@sub.two.example"), 0);
        cr_expect_eq(find("three.example", "mailto:r@dead.example"), 0, "the time is over");
        cr_expect_eq(look.left_out, 4);
}
