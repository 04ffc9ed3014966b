/* DMARC: the author's domain, records, the tree walk with the examples of RFC 9989 4.10, alignment and disposition. */
#include "tests/auth/world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- From ---------------------------------------------------------------------------------------------- */

static const struct {
        const char *header;
        enum dmarc_author_kind kind;
        const char *domain;
} authors[] = {
    {"From: a@d.example\r\n", DMARC_AUTHOR_ONE, "d.example"},
    {"FROM :a@D.Example.\r\n", DMARC_AUTHOR_ONE, "d.example"},
    {"From: A B <a@d.example>\r\n", DMARC_AUTHOR_ONE, "d.example"},
    {"From: A\r\n B\r\n <a@d.example>\r\n", DMARC_AUTHOR_ONE, "d.example"},
    {"From: \"x@evil.example\" <a@d.example>\r\n", DMARC_AUTHOR_ONE, "d.example"},
    {"From: \"\\\"<x@evil.example>\" <a@d.example>\r\n", DMARC_AUTHOR_ONE, "d.example"},
    {"From: x@evil.example <a@d.example>\r\n", DMARC_AUTHOR_ONE, "d.example"}, /* as programs show it */
    {"From: x@evil.example (<) <a@d.example>\r\n", DMARC_AUTHOR_ONE, "d.example"},
    {"From: (x@evil.example, <y@z>) a@d.example (z)\r\n", DMARC_AUTHOR_ONE, "d.example"},
    {"From: a(c)@(c(c)\\)c)d . (c) example\r\n", DMARC_AUTHOR_ONE, "d.example"},
    {"From: \"a b\"@d.example\r\n", DMARC_AUTHOR_ONE, "d.example"},
    {"From: <\"<b@evil.example>\"@d.example>\r\n", DMARC_AUTHOR_ONE, "d.example"},
    {"From: =?utf-8?q?=3Cx=40evil=2Eexample=3E?= <a@d.example>\r\n", DMARC_AUTHOR_ONE, "d.example"},
    {"From: a@d.example, B <b@D.example>\r\n", DMARC_AUTHOR_ONE, "d.example"},
    {"From: Team: a@d.example, b@d.example;\r\n", DMARC_AUTHOR_ONE, "d.example"},
    {"From: a@b\xc3\xbc"
     "cher.example\r\n",
     DMARC_AUTHOR_ONE, "xn--bcher-kva.example"},
    {"From: a@d.example,\r\n", DMARC_AUTHOR_ONE, "d.example"},
    {"From: ,a@d.example\r\n", DMARC_AUTHOR_ONE, "d.example"},
    {"To: a@d.example\r\n", DMARC_AUTHOR_NONE, ""},
    {"From:\r\n", DMARC_AUTHOR_NONE, ""},
    {"From: <>\r\n", DMARC_AUTHOR_NONE, ""},
    {"From: Undisclosed:;\r\n", DMARC_AUTHOR_NONE, ""},
    {"From: (nobody)\r\n", DMARC_AUTHOR_NONE, ""},
    {"From: a@d.example\r\nFrom: a@d.example\r\n", DMARC_AUTHOR_SEVERAL, ""},
    {"From: a@d.example, b@e.example\r\n", DMARC_AUTHOR_SEVERAL, ""},
    {"From: a@d.example, Group: b@x.d.example;\r\n", DMARC_AUTHOR_SEVERAL, ""},
    {"From: root\r\n", DMARC_AUTHOR_BAD, ""},
    {"From: <root>\r\n", DMARC_AUTHOR_BAD, ""},
    {"From: a@\r\n", DMARC_AUTHOR_BAD, ""},
    {"From: a@d..example\r\n", DMARC_AUTHOR_BAD, ""},
    {"From: a@[192.0.2.1]\r\n", DMARC_AUTHOR_BAD, ""},
    {"From: a@d_e.example\r\n", DMARC_AUTHOR_BAD, ""},
    {"From: a@bank.exa mple\r\n", DMARC_AUTHOR_BAD, ""},
    {"From: a@d.example evil\r\n", DMARC_AUTHOR_BAD, ""},
    {"From: a@d.example \"evil\"\r\n", DMARC_AUTHOR_BAD, ""},
    {"From: <a@d.example\r\n", DMARC_AUTHOR_BAD, ""},
    {"From: <a@d.example> evil\r\n", DMARC_AUTHOR_BAD, ""},
    {"From: <a@d.example><b@e.example>\r\n", DMARC_AUTHOR_BAD, ""},
    {"From: <a@d:e.example>\r\n", DMARC_AUTHOR_BAD, ""},
    {"From: a@\xff.example\r\n", DMARC_AUTHOR_BAD, ""},
    /* What programs read differently: one of them shows the first domain, another one the last. */
    {"From: a@bank.example@d.example\r\n", DMARC_AUTHOR_BAD, ""},
    {"From: a@bank.example b@d.example\r\n", DMARC_AUTHOR_BAD, ""},
    {"From: <a@bank.example@d.example>\r\n", DMARC_AUTHOR_BAD, ""},
    {"From: a@bank.example : b@d.example\r\n", DMARC_AUTHOR_BAD, ""},
    {"From: a@bank.example : b@d.example;\r\n", DMARC_AUTHOR_BAD, ""},
    {"From: a@bank.example : B <b@d.example>\r\n", DMARC_AUTHOR_BAD, ""},
    {"From: <a@bank.example,b@d.example>\r\n", DMARC_AUTHOR_BAD, ""},
    {"From: <a@bank.example:b@d.example>\r\n", DMARC_AUTHOR_BAD, ""},
    {"From: <@r.example,@s.example:a@d.example>\r\n", DMARC_AUTHOR_BAD, ""},
    {"From: <@r.example:a@d.example>\r\n", DMARC_AUTHOR_BAD, ""},
    {"From: a@d.example (<b@bank.example>\r\n", DMARC_AUTHOR_BAD, ""},
    {"From: a@d.example (\\)\r\n", DMARC_AUTHOR_BAD, ""},
    {"From: a@d.example, \"<b@bank.example>\r\n", DMARC_AUTHOR_BAD, ""},
};

static struct block_pool pool;
static struct arena arena;

static void read_author(const char *text, struct dmarc_author *ret_author)
{
        struct auth_header header;
        struct span rest = span_from(text);

        auth_header_init(&header, &arena);
        auth_header_read(&header, &rest);
        auth_header_end(&header);
        dmarc_author_read(&header, ret_author);
}

static void begin(void)
{
        block_pool_init(&pool, 16384, 4);
        arena_init(&arena, &pool, 8 << 20);
}

static void end(void)
{
        arena_end(&arena);
        block_pool_end(&pool);
}

Test(auth_dmarc, authors, .init = begin, .fini = end)
{
        struct dmarc_author author;

        for (size_t i = 0; i < sizeof authors / sizeof *authors; i++) {
                read_author(authors[i].header, &author);
                cr_assert_eq(author.kind, authors[i].kind, "%s: %d %s", authors[i].header, author.kind,
                             author.reason);
                cr_assert(span_equals(dmarc_author_domain(&author), span_from(authors[i].domain)), "%s: %.*s",
                          authors[i].header, author.length, author.octets);
                cr_assert_eq(author.reason[0] == '\0', author.kind == DMARC_AUTHOR_ONE);
        }
}

Test(auth_dmarc, too_many_mailboxes, .init = begin, .fini = end)
{
        static char text[4096] = "From: a@d.example";
        struct dmarc_author author;

        for (unsigned i = 1; i < DMARC_MAILBOXES_MAX; i++)
                strcat(text, ", a@d.example");
        read_author(text, &author);
        cr_assert_eq(author.kind, DMARC_AUTHOR_ONE);
        read_author(strcat(text, ", a@d.example"), &author);
        cr_assert_eq(author.kind, DMARC_AUTHOR_BAD);
}

/* ---- the walk ------------------------------------------------------------------------------------------ */

static const struct {
        const char *domain, *zone, *organisation,
            *record; /* the domain of the record that applies; "": none */
        unsigned asked;
} walks[] = {
    /* the examples of 4.10.2 */
    {"a.mail.example.com", "_dmarc.mail.example.com TXT v=DMARC1\n_dmarc.example.com TXT v=DMARC1\n",
     "example.com", "example.com", 4},
    {"a.mail.example.com", "_dmarc.mail.example.com TXT v=DMARC1; psd=n\n_dmarc.example.com TXT v=DMARC1\n",
     "mail.example.com", "mail.example.com", 2},
    {"a.mail.example.com", "_dmarc.com TXT v=DMARC1; psd=y\n", "example.com", "com", 4},
    /* no record at all */
    {"a.mail.example.com", "", "a.mail.example.com", "", 4},
    /* a public suffix that sends mail, and names below it */
    {"co.example", "_dmarc.co.example TXT v=DMARC1; psd=y\n", "co.example", "co.example", 1},
    {"a.co.example", "_dmarc.co.example TXT v=DMARC1; psd=y\n_dmarc.a.co.example TXT v=DMARC1\n",
     "a.co.example", "a.co.example", 2},
    {"x.a.co.example", "_dmarc.co.example TXT v=DMARC1; psd=y\n_dmarc.x.a.co.example TXT v=DMARC1\n",
     "a.co.example", "co.example", 3},
    /* two records are none, and others are passed over */
    {"a.example", "_dmarc.a.example TXT v=DMARC1\n_dmarc.a.example TXT v=DMARC1\n", "a.example", "", 2},
    {"a.example", "_dmarc.a.example TXT v=spf1\n_dmarc.a.example TXT v=DMARC1\n", "a.example", "a.example",
     2},
    /* more than eight labels: eight questions (4.10) */
    {"a.b.c.d.e.f.g.h.i.j.mail.example.com", "_dmarc.g.h.i.j.mail.example.com TXT v=DMARC1\n",
     "g.h.i.j.mail.example.com", "g.h.i.j.mail.example.com", 8},
    {"a.b.c.d.e.f.g.h.i.j.mail.example.com", "_dmarc.f.g.h.i.j.mail.example.com TXT v=DMARC1; psd=n\n",
     "a.b.c.d.e.f.g.h.i.j.mail.example.com", "", 8},
    {"mail.a.b.c.d.e.f.g.example.com", "_dmarc.c.d.e.f.g.example.com TXT v=DMARC1; psd=y\n",
     "b.c.d.e.f.g.example.com", "c.d.e.f.g.example.com", 2},
    {"a.b.c.d.e.f.g.h", "", "a.b.c.d.e.f.g.h", "", 8},
};

Test(auth_dmarc, walks)
{
        struct dmarc_walk walk;
        struct world world;

        for (size_t i = 0; i < sizeof walks / sizeof *walks; i++)
                for (int is_late = 0; is_late < 2; is_late++) {
                        world_begin(&world, span_from(walks[i].zone), is_late);
                        enum fact fact;
                        while ((fact = dmarc_walk(span_from(walks[i].domain), &world.memo, &walk)) ==
                               FACT_PENDING)
                                cr_assert(world_answer(&world));
                        cr_assert_eq(fact, FACT_FOUND);
                        cr_assert(span_equals(walk.organisation, span_from(walks[i].organisation)),
                                  "%s: %.*s", walks[i].domain, (int)walk.organisation.length,
                                  walk.organisation.at);
                        cr_assert_eq(walk.has_record, walks[i].record[0] != '\0', "%s", walks[i].domain);
                        cr_assert(!walk.has_record ||
                                  span_equals(walk.record_domain, span_from(walks[i].record)));
                        cr_assert_eq(world.asked, walks[i].asked, "%s: %zu", walks[i].domain, world.asked);
                        world_end(&world);
                }
}

Test(auth_dmarc, walks_that_fail)
{
        static const struct {
                const char *zone;
                enum fact expected;
        } cases[] = {
            {"_dmarc.a.example.com TXT !\n", FACT_FAILED},
            {"_dmarc.example.com TXT !\n", FACT_FAILED},
            {"_dmarc.com TXT !\n", FACT_FAILED},
            {"_dmarc.com TXT !\n_dmarc.a.example.com TXT v=DMARC1\n", FACT_FAILED},
            /* whatever the top label says, it is the organisation */
            {"_dmarc.com TXT !\n_dmarc.example.com TXT v=DMARC1\n", FACT_FOUND},
            {"_dmarc.example.com TXT !\n_dmarc.a.example.com TXT v=DMARC1; psd=n\n", FACT_FOUND},
        };
        struct dmarc_walk walk;
        struct world world;

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                world_begin(&world, span_from(cases[i].zone), false);
                cr_assert_eq(dmarc_walk(SPAN("a.example.com"), &world.memo, &walk), cases[i].expected, "%s",
                             cases[i].zone);
                world_end(&world);
        }
}

/* ---- verdicts ------------------------------------------------------------------------------------------ */

#define P "_dmarc.d.example TXT v=DMARC1; p=reject; sp=quarantine"

static const struct {
        const char *from, *dkim, *spf; /* domains that pass; NULL: none; "?d": DNS failed for it */
        const char *zone, *expected;   /* "result policy disposition" and who is aligned */
} verdicts[] = {
    {"d.example", "d.example", NULL, P "\n", "pass reject none dkim"},
    {"d.example", NULL, "d.example", P "\n", "pass reject none spf"},
    {"d.example", "d.example", "d.example.", P "\n", "pass reject none dkim spf"},
    {"d.example", "m.d.example", NULL, P "\n", "pass reject none dkim"},
    {"d.example", NULL, "M.D.Example", P "\n", "pass reject none spf"},
    {"m.d.example", "d.example", NULL, P "\n", "pass quarantine none dkim"},
    {"m.d.example", "n.d.example", NULL, P "\n", "pass quarantine none dkim"},
    {"d.example", "e.example", "f.example", P "\n", "fail reject reject"},
    {"d.example", "xd.example", NULL, P "\n", "fail reject reject"},
    {"d.example", "example", NULL, P "\n", "fail reject reject"},
    {"d.example", NULL, NULL, P "\n", "fail reject reject"},
    {"m.d.example", NULL, NULL, P "\n", "fail quarantine quarantine"},
    {"m.d.example", NULL, NULL, P "\n_dmarc.m.d.example TXT v=DMARC1; p=none\n", "fail none none"},
    /* strict */
    {"d.example", "m.d.example", NULL, P "; adkim=s\n", "fail reject reject"},
    {"d.example", "m.d.example", "m.d.example", P "; adkim=s\n", "pass reject none spf"},
    {"d.example", "d.example", "m.d.example", P "; adkim=s; aspf=s\n", "pass reject none dkim"},
    /* t=y: one lower */
    {"d.example", NULL, NULL, P "; t=y\n", "fail quarantine quarantine"},
    {"m.d.example", NULL, NULL, P "; t=y\n", "fail none none"},
    /* np= */
    {"m.d.example", NULL, NULL, P "; np=reject\n", "fail reject reject"},
    {"m.d.example", NULL, NULL, P "; np=reject\nm.d.example A x\n", "fail quarantine quarantine"},
    {"m.d.example", NULL, NULL, P "; np=reject\nm.d.example MX x\n", "fail quarantine quarantine"},
    {"m.d.example", NULL, NULL, P "; np=reject\nm.d.example TXT x\n", "fail reject reject"},
    {"m.d.example", NULL, NULL, P "; np=reject\nm.d.example AAAA !\n", "fail quarantine quarantine"},
    {"d.example", NULL, NULL, "_dmarc.d.example TXT v=DMARC1; p=none; np=reject\n", "fail none none"},
    /* other organisations below it */
    {"d.example", "m.d.example", NULL, P "\n_dmarc.m.d.example TXT v=DMARC1; psd=n\n", "fail reject reject"},
    {"d.example", "m.d.example", NULL, P "\n_dmarc.m.d.example TXT v=DMARC1\n", "pass reject none dkim"},
    {"a.co", "b.co", NULL, "_dmarc.co TXT v=DMARC1; psd=y; p=reject\n", "fail reject reject"},
    {"a.co", "x.a.co", NULL, "_dmarc.co TXT v=DMARC1; psd=y; p=reject\n", "pass reject none dkim"},
    /* none */
    {"d.example", "d.example", NULL, "", "none none none"},
    {"d.example", "d.example", NULL, "_dmarc.d.example TXT v=DMARC1\n", "none none none"},
    /* DNS */
    {"d.example", "d.example", NULL, "_dmarc.d.example TXT !\n", "temperror none none"},
    {"d.example", NULL, NULL, "_dmarc.d.example TXT !\n", "temperror none none"},
    {"d.example", "?d.example", NULL, P "\n", "temperror reject none"},
    {"d.example", "?e.example", NULL, P "\n", "fail reject reject"},
    {"d.example", NULL, "?m.d.example", P "\n", "temperror reject none"},
    {"d.example", "?d.example", "d.example", P "\n", "pass reject none spf"},
    {"d.example", "m.d.example", NULL, P "\n_dmarc.m.d.example TXT !\n", "temperror reject none"},
    {"d.example", "m.d.example", "d.example", P "\n_dmarc.m.d.example TXT !\n", "pass reject none spf"},
    {"b\xc3\xbc"
     "cher.example",
     "xn--bcher-kva.example", NULL, "_dmarc.xn--bcher-kva.example TXT v=DMARC1; p=reject\n",
     "pass reject none dkim"},
};

static enum auth_result result_of(const char *domain)
{
        return domain == NULL ? AUTH_NONE : domain[0] == '?' ? AUTH_TEMPERROR : AUTH_PASS;
}

static void check_verdict(size_t i, bool is_late)
{
        const char *dkim_domain = verdicts[i].dkim,
                   *spf_domain = verdicts[i].spf == NULL ? "" : verdicts[i].spf;
        struct dkim dkim = {.count = 2};
        struct dmarc_verdict verdict;
        struct dmarc_author author;
        struct world world;
        char from[300], found[100];

        dkim.signatures[0] = (struct auth_signature){.result = AUTH_FAIL, .domain = SPAN("d.example")};
        dkim.signatures[1].result = result_of(dkim_domain);
        if (dkim_domain != NULL)
                dkim.signatures[1].domain = span_from(dkim_domain + (dkim_domain[0] == '?'));
        snprintf(from, sizeof from, "From: a@%s\r\n", verdicts[i].from);
        read_author(from, &author);
        struct dmarc_request request = {.author = &author,
                                        .dkim = &dkim,
                                        .spf = result_of(verdicts[i].spf),
                                        .spf_domain = span_from(spf_domain + (spf_domain[0] == '?'))};
        world_begin(&world, span_from(verdicts[i].zone), is_late);
        world_dmarc(&world, &request, &verdict);
        snprintf(found, sizeof found, "%s %s %s%s%s", auth_result_name(verdict.result),
                 dmarc_policy_name(verdict.policy), dmarc_policy_name(verdict.disposition),
                 verdict.dkim_is_aligned ? " dkim" : "", verdict.spf_is_aligned ? " spf" : "");
        cr_assert_str_eq(found, verdicts[i].expected, "%zu %s %s", i, verdicts[i].from, verdicts[i].zone);
        cr_assert_eq(verdict.reason[0] == '\0', verdict.result == AUTH_PASS);
        world_end(&world);
}

Test(auth_dmarc, verdicts, .init = begin, .fini = end)
{
        for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++)
                for (int is_late = 0; is_late < 2; is_late++)
                        check_verdict(i, is_late);
}

/* What is no single domain is judged by nobody's policy. */
Test(auth_dmarc, authors_without_verdict, .init = begin, .fini = end)
{
        static const struct {
                const char *header;
                enum auth_result expected;
        } cases[] = {{"To: x\r\n", AUTH_NONE},
                     {"From: a@d.example, b@e.example\r\n", AUTH_PERMERROR},
                     {"From: a@d.example\r\nFrom: a@d.example\r\n", AUTH_PERMERROR},
                     {"From: a\r\n", AUTH_PERMERROR}};
        struct dkim dkim = {.count = 0};
        struct dmarc_verdict verdict;
        struct dmarc_author author;
        struct world world;

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                read_author(cases[i].header, &author);
                world_begin(&world, SPAN(P "\n"), false);
                dmarc_evaluate(&(struct dmarc_request){.author = &author, .dkim = &dkim}, &world.memo,
                               &verdict);
                cr_assert_eq(verdict.result, cases[i].expected, "%s", cases[i].header);
                cr_assert(verdict.reason[0] != '\0' && world.asked == 0 &&
                          verdict.disposition == DMARC_POLICY_NONE);
                world_end(&world);
        }
}

/* The most that a message can have asked: eight for the author, seven more of each of eight signatures. */
Test(auth_dmarc, bound_of_questions, .init = begin, .fini = end)
{
        static char names[DKIM_SIGNATURES_MAX][64];
        struct dkim dkim = {.count = DKIM_SIGNATURES_MAX};
        struct dmarc_verdict verdict;
        struct dmarc_author author;
        struct world world;

        for (size_t i = 0; i < DKIM_SIGNATURES_MAX; i++) {
                snprintf(names[i], sizeof names[i], "a%zu.b%zu.c%zu.d%zu.e%zu.f%zu.d.example", i, i, i, i, i,
                         i);
                dkim.signatures[i] =
                    (struct auth_signature){.result = AUTH_PASS, .domain = span_from(names[i])};
        }
        read_author("From: a@d.example\r\n", &author);
        world_begin(&world, SPAN(P "\n* TXT x\n"), false);
        dmarc_evaluate(&(struct dmarc_request){.author = &author, .dkim = &dkim}, &world.memo, &verdict);
        cr_assert_eq(verdict.result, AUTH_PASS);
        cr_assert_leq(world.asked, 2 + 6 * DKIM_SIGNATURES_MAX);
        world_end(&world);
}
