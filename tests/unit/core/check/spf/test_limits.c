/* SPF: the limits of RFC 7208 4.6.4, our bounds on records, and records that are out to harm. */
#include "tests/unit/core/check/spf/fixture.h"

#include <time.h>

#define HOSTS_10                                                                                             \
        "ten.example MX h0.example\nten.example MX h1.example\nten.example MX h2.example\n"                  \
        "ten.example MX h3.example\nten.example MX h4.example\nten.example MX h5.example\n"                  \
        "ten.example MX h6.example\nten.example MX h7.example\nten.example MX h8.example\n"                  \
        "ten.example MX h9.example\n"                                                                        \
        "h9.example A 192.0.2.9\n"                                                                           \
        "h9.example AAAA 2001:db8::9\n"

#define ZONE                                                                                                 \
        HOSTS_10                                                                                             \
        "part.example MX h9.example\npart.example MX none.example\n"                                         \
        "half.example MX h9.example\nhalf.example MX z.example\nz.example A !\n"                             \
        "halves.example MX h9.example\nhalves.example MX a.example\na.example A !\n"                         \
        "d.example A 192.0.2.1\n"                                                                            \
        "d.example MX d.example\n"                                                                           \
        "null.example MX \n"                                                                                 \
        "one.example TXT v=spf1 a:d.example\n"                                                               \
        "nine.example TXT v=spf1 a:d.example a:d.example a:d.example a:d.example a:d.example a:d.example "   \
        "a:d.example a:d.example a:d.example\n"                                                              \
        "voids.example TXT v=spf1 a:v1.example exists:v2.example\n"                                          \
        "self.example TXT v=spf1 include:self.example\n"                                                     \
        "left.example TXT v=spf1 include:right.example\n"                                                    \
        "right.example TXT v=spf1 redirect=left.example\n"                                                   \
        "bomb.example TXT v=spf1 include:bomb.example include:bomb.example include:bomb.example ~all\n"      \
        "deep.example TXT v=spf1 include:%{l}.%{d} ~all\n"                                                   \
        "eleven.example MX h0.example\neleven.example MX h1.example\neleven.example MX h2.example\n"         \
        "eleven.example MX h3.example\neleven.example MX h4.example\neleven.example MX h5.example\n"         \
        "eleven.example MX h6.example\neleven.example MX h7.example\neleven.example MX h8.example\n"         \
        "eleven.example MX h9.example\neleven.example MX h10.example\n"

static const struct spf_case limits[] = {
    /* terms with lookups, over include and redirect */
    {"v=spf1 a a a a a a a a a a ?all", "192.0.2.2", "neutral ?all"},
    {"v=spf1 a a a a a a a a a a a ?all", "192.0.2.2", "permerror "},
    {"v=spf1 a a a a a a a a a a ip4:192.0.2.2 a a", "192.0.2.2", "pass"}, /* none is reached */
    {"v=spf1 include:nine.example ?all", "192.0.2.2", "neutral"},
    {"v=spf1 include:nine.example a ?all", "192.0.2.2", "permerror"},
    {"v=spf1 include:nine.example include:one.example ?all", "192.0.2.2", "permerror"},
    {"v=spf1 a mx a mx a mx a mx a redirect=d.example", "192.0.2.2", "permerror"},
    {"v=spf1 redirect=nine.example", "192.0.2.2", "neutral"},
    {"v=spf1 a redirect=nine.example", "192.0.2.2", "permerror"},
    {"v=spf1 redirect=nine.example a", "192.0.2.2", "permerror"},
    {"v=spf1 redirect=d.example", "192.0.2.2", "permerror"},
    {"v=spf1 include:d.example", "192.0.2.2", "permerror"},
    {"v=spf1 include:self.example", "192.0.2.2", "permerror"},
    {"v=spf1 include:left.example", "192.0.2.2", "permerror"},
    {"v=spf1 include:bomb.example", "192.0.2.2", "permerror"},
    {"v=spf1 include:deep.example", "192.0.2.2", "permerror"},
    /* void lookups: a term counts once */
    {"v=spf1 a:v1.example mx:v2.example ?all", "192.0.2.2", "neutral"},
    {"v=spf1 a:v1.example mx:v2.example exists:v3.example ?all", "192.0.2.2", "permerror"},
    {"v=spf1 include:voids.example ?all", "192.0.2.2", "neutral"},
    {"v=spf1 include:voids.example a:v3.example ?all", "192.0.2.2", "permerror"},
    {"v=spf1 include:voids.example ptr ?all", "192.0.2.2", "permerror"},
    {"v=spf1 include:voids.example mx:null.example ?all", "192.0.2.2", "neutral"}, /* nothing is asked for */
    {"v=spf1 a:v1.example a:v1.example a:v1.example ?all", "192.0.2.2", "permerror"},
    {"v=spf1 a:v1.example a:v2.example ip4:192.0.2.2 a:v3.example", "192.0.2.2", "pass"},
    {"v=spf1 mx:ten.example ?all", "192.0.2.9", "pass"},
    {"v=spf1 mx:ten.example mx:ten.example ?all", "192.0.2.2", "neutral"},
    {"v=spf1 mx:ten.example mx:ten.example mx:ten.example ?all", "192.0.2.2", "permerror"},
    {"v=spf1 a mx -all", "2001:db8::1", "fail"}, /* a domain without IPv6 */
    /* hosts of one mx: one that matches decides, wherever it stands */
    {"v=spf1 mx:half.example -all", "192.0.2.9", "pass"},
    {"v=spf1 mx:halves.example -all", "192.0.2.9", "pass"},
    {"v=spf1 mx:half.example -all", "192.0.2.8", "temperror"},
    {"v=spf1 mx:halves.example -all", "192.0.2.8", "temperror"},
    {"v=spf1 include:voids.example mx:part.example -all", "192.0.2.9", "pass"},
    {"v=spf1 include:voids.example mx:part.example -all", "192.0.2.8", "permerror"},
    {"v=spf1 mx:ten.example -all", "2001:db8::9", "pass"},
    {"v=spf1 mx:eleven.example -all", "192.0.2.9", "permerror"},
};

/* Answers larger than any that is kept will not be smaller next time. */
static const struct spf_case sizes[] = {
    {"!large", "192.0.2.2", "permerror "},
    {"v=spf1 include:large.example ?all", "192.0.2.2", "permerror "},
    {"v=spf1 redirect=large.example", "192.0.2.2", "permerror "},
    {"v=spf1 a:large.example ?all", "192.0.2.2", "permerror "},
    {"v=spf1 mx:large.example ?all", "192.0.2.2", "permerror "},
    {"v=spf1 mx:host.example ?all", "192.0.2.2", "permerror "},
    {"v=spf1 ip4:192.0.2.2 a:large.example", "192.0.2.2", "pass ip4:192.0.2.2"},
    {"v=spf1 -all exp=large.example", "192.0.2.2", "fail -all"},
    {"v=spf1 ptr ?all", "192.0.2.2", "neutral ?all"},
};

Test(spf_limits, answers_too_large_to_be_kept)
{
        SPF_CHECK_CASES("large.example TXT !large\nlarge.example A !large\nlarge.example MX !large\n"
                        "host.example MX large.example\n2.2.0.192.in-addr.arpa PTR !large\n",
                        sizes);
}

Test(spf_limits, lookups)
{
        SPF_CHECK_CASES(ZONE, limits);
}

/* The client's own reverse names decide nothing but their own: 10 count, those in the domain before others and
 * then by name; the rest is passed over. */
Test(spf_limits, names_of_the_client)
{
        char zone[8192];
        struct text text;

        text_over(&text, zone, sizeof zone);
        for (int i = 0; i < 40; i++) {
                text_printf(&text, "2.2.0.192.in-addr.arpa PTR n%02d.d.example\n", i);
                text_printf(&text, "2.2.0.192.in-addr.arpa PTR a%02d.other.example\n", i);
                if (i == 9 || i == 10)
                        text_printf(&text, "n%02d.d.example A 192.0.2.%d\n", i, i - 7);
        }
        for (int i = 0; i < 40; i++)
                text_printf(&text, "3.2.0.192.in-addr.arpa PTR n%02d.d.example\n", i);
        text_put_string(&text, "d.example TXT v=spf1 ptr -all\n");
        text_put_char(&text, '\0');
        cr_assert(!text.overflowed);
        struct spf_request second = spf_request_for("192.0.2.2", "h.example", "u@d.example");
        spf_check("", zone, &second, "pass", NULL);
        struct spf_request third = spf_request_for("192.0.2.3", "h.example", "u@d.example");
        spf_check("", zone, &third, "fail", NULL);
        block_pool_end(&spf_pool);
}

/* Fills a record or a text: `unit` again and again, up to `length` octets. */
static void fill(char *at, size_t length, const char *unit)
{
        size_t size = strlen(unit);
        for (size_t i = 0; i + size <= length; i += size)
                memcpy(at + i, unit, size);
        at[length - length % size] = '\0';
}

static void check_policy(const char *zone, const char *policy, const char *expected, const char *explanation)
{
        static char more[20000];
        struct spf_request request = spf_request_for("192.0.2.2", "h.example", "user@d.example");
        snprintf(more, sizeof more, "d.example TXT %s\n", policy);
        spf_check(zone, more, &request, expected, explanation);
}

Test(spf_limits, bounds_of_records)
{
        static char policy[5000], filler[4200];

        for (size_t over = 0; over < 2; over++) {
                fill(filler, 4096 - 11 + over, "p");
                /* spread over terms of at most 512 */
                for (size_t i = 500; i < strlen(filler); i += 500)
                        filler[i] = ' ';
                for (char *at = filler; at != NULL && *at != '\0'; at = strchr(at, ' ')) {
                        at += *at == ' ';
                        memcpy(at, "x=", strlen(at) >= 2 ? 2 : 0);
                }
                snprintf(policy, sizeof policy, "v=spf1 all %s", filler);
                cr_assert(strlen(policy) == 4096 + over);
                check_policy("", policy, over ? "permerror" : "pass", NULL);

                fill(filler, 510 + over, "y");
                snprintf(policy, sizeof policy, "v=spf1 all x=%s", filler);
                check_policy("", policy, over ? "permerror" : "pass", NULL);

                fill(filler, 160 + 4 * over, "%{s}");
                snprintf(policy, sizeof policy, "v=spf1 all x=%s", filler);
                check_policy("", policy, over ? "permerror" : "pass", NULL);
        }
        block_pool_end(&spf_pool);
}

/* The library forgets what exceeds 511 octets compiled: every one of many networks must be found. */
Test(spf_limits, many_networks)
{
        static char policy[5000];
        struct text text;

        for (int place = 0; place < 150; place += 7) {
                text_over(&text, policy, sizeof policy);
                text_put_string(&text, "v=spf1");
                for (int i = 0; i < 150; i++)
                        text_printf(&text, i % 5 == 1 ? " ip6:2001:db8::%d" : " ip4:198.51.100.%d/32", i);
                text_put_char(&text, '\0');
                char *at = policy + 6;
                for (int i = 0; i < place; i++)
                        at = strchr(at + 1, ' ');
                memmove(at + 14, at, strlen(at) + 1);
                memcpy(at, " ip4:192.0.2.2", 14);
                check_policy("", policy, "pass ip4:192.0.2.2", NULL);
        }
        block_pool_end(&spf_pool);
}

/* CVE-2023-42118: an explanation of many macros overflows the library's stack. */
Test(spf_limits, explanations_that_overflow)
{
        static char text[6000], zone[8000];

        fill(text, 508, "%{s}");
        snprintf(zone, sizeof zone, "e.x.example TXT %sabc\n", text);
        struct spf_request request = spf_request_for("192.0.2.2", "h.example", "user@d.example");
        struct spf_detail detail;
        struct arena arena;
        cr_expect(spf_run(zone, "d.example TXT v=spf1 -all exp=e.x.example\n", &request, ZONE_AT_ONCE, &arena,
                          &detail) == SPF_FAIL);
        cr_expect(detail.explanation.length == SPF_EXPLANATION_MAX);
        arena_end(&arena);
        for (size_t length = 4000; length <= 5600; length += 800) {
                fill(text, length, "%{S10r-+.}");
                snprintf(zone, sizeof zone, "e.x.example TXT %s\n", text);
                check_policy(zone, "v=spf1 -all exp=e.x.example", "fail", NULL);
        }
        block_pool_end(&spf_pool);
}

/* As costly as a domain can make it: it must stay far from a second, all three orders together. */
Test(spf_limits, time_of_hostile_records)
{
        static char zone[60000], networks[4000], sender[400], macros[600];
        struct text text;
        struct timespec begin, end;

        fill(networks, 3600, "ip4:1.2.3.4 ");
        fill(macros, 160, "%{S}");
        text_over(&text, zone, sizeof zone);
        for (int i = 0; i < 9; i++) {
                text_printf(&text, "n%d.example TXT v=spf1 ", i);
                if (i < 8)
                        text_printf(&text, "include:n%d.example ", i + 1);
                else
                        text_printf(&text, "exists:%s ", macros);
                text_put_string(&text, networks);
                text_put_char(&text, '\n');
        }
        text_put_string(&text, "d.example TXT v=spf1 include:n0.example -all\n");
        text_put_char(&text, '\0');
        cr_assert(!text.overflowed);
        memset(sender, '=', 64);
        memset(sender + 64, '.', 180);
        snprintf(sender + 244, sizeof sender - 244, "@d.example");
        struct spf_request request = spf_request_for("192.0.2.2", "h.example", sender);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
        spf_check("", zone, &request, "fail", NULL);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
        cr_expect(end.tv_sec - begin.tv_sec < 2);
        block_pool_end(&spf_pool);
}

static double cpu_ms(void)
{
        struct timespec now;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
        return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* How much more it costs to be told the answers one by one than to have them all. Without what the zone of this
 * test takes to find them. */
static double cost_of_waiting(const char *zone_text, enum zone_order order)
{
        struct spf_request request = spf_request_for("192.0.2.200", "h.example", "u@d.example");
        double waiting_ms = 1e9, knowing_ms = 1e9;

        for (int round = 0; round < 7; round++) {
                struct zone zone = {.source.ask = zone_ask, .texts = {zone_text, ""}, .order = order};
                struct spf_detail waiting = {0}, knowing = {0};
                struct arena arena;
                struct memo memo;
                double begin = cpu_ms(), elsewhere = 0;

                arena_init(&arena, &spf_pool, 16 << 20);
                memo_init(&memo, &arena, &zone.source, 1, 1000);
                while (spf_evaluate(&request, &memo, &arena, &waiting) == SPF_WAIT) {
                        double settle_begin = cpu_ms();
                        zone_settle_one(&zone, &memo);
                        elsewhere += cpu_ms() - settle_begin;
                }
                double took = cpu_ms() - begin - elsewhere;
                waiting_ms = took < waiting_ms ? took : waiting_ms;
                begin = cpu_ms();
                cr_assert_eq(spf_evaluate(&request, &memo, &arena, &knowing), SPF_FAIL);
                took = cpu_ms() - begin;
                knowing_ms = took < knowing_ms ? took : knowing_ms;
                arena_end(&arena);
        }
        return waiting_ms / knowing_ms;
}

/* Ten terms of ten hosts each have a hundred and eleven answers: an evaluation that began anew at each of them
 * would cost as much as fifty that have them all. */
Test(spf_limits, an_answer_costs_no_new_evaluation)
{
        static char zone[20000];
        struct text text;

        text_over(&text, zone, sizeof zone);
        text_put_string(&text, "d.example TXT v=spf1");
        for (int i = 0; i < 10; i++)
                text_printf(&text, " mx:m%d.example", i);
        text_put_string(&text, " -all\n");
        for (int i = 0; i < 100; i++)
                text_printf(&text, "m%d.example MX h%02d.example\nh%02d.example A 192.0.2.%d\n", i / 10, i, i,
                            i + 1);
        text_put_char(&text, '\0');
        cr_assert(!text.overflowed);
        for (enum zone_order order = ZONE_OLDEST_FIRST; order < ZONE_ORDERS; order++) {
                double times = cost_of_waiting(zone, order);
                cr_expect(times < 20, "order %d: %.1f times", (int)order, times);
        }
        block_pool_end(&spf_pool);
}
