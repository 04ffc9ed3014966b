/* Tickets: they outlive reloads and turns of the keys, for one period, and a fleet takes each other's. */
#include "tests/unit/workers/tls/fixture.h"

TestSuite(tickets, .init = tls_begin, .fini = tls_end);

#define TLS_WITH(more) HOSTNAME DOMAIN "tls { certificate = {\"a.pem\"} key = {\"a.key\"} " more " }"
#define TLS            TLS_WITH("")
#define FLEET          TLS_WITH("ticket_keys = \"tickets\"")
#define HOURS_12       43200
#define SECRET_1       "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF\n"
#define SECRET_2       "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100\n"

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static void write_secrets(const char *text)
{
        write_file("tickets", text, strlen(text));
        chmod(path_of("tickets"), 0600);
}

static SSL_SESSION *begin_session(const struct loaded *loaded, int version)
{
        SSL_SESSION *session = NULL;
        struct wish wish = {.version = version, .ret_session = &session};
        struct seen seen = connect_to(loaded->contexts, &wish);
        cr_expect(seen.is_connected && !seen.is_resumed && session != NULL);
        return session;
}

/* Whether it is resumed; *session becomes the new one, if there is one. */
static bool resume(const struct loaded *loaded, int version, SSL_SESSION **session)
{
        SSL_SESSION *next = NULL;
        struct wish wish = {.version = version, .session = *session, .ret_session = &next};
        struct seen seen = connect_to(loaded->contexts, &wish);
        cr_expect(seen.is_connected);
        if (next != NULL) {
                SSL_SESSION_free(*session);
                *session = next;
        }
        return seen.is_resumed;
}

Test(tickets, again_and_again)
{
        write_pair("a", "EC", "DNS:mx.isp.example");
        struct loaded loaded = load_tls(TLS);
        for (size_t i = 0; i < 2; i++) {
                SSL_SESSION *session = begin_session(&loaded, versions[i]);
                for (int round = 0; round < 3; round++)
                        cr_expect(resume(&loaded, versions[i], &session), "round %d", round);
                SSL_SESSION_free(session);
        }
        loaded_free(&loaded);
}

Test(tickets, none_by_option)
{
        write_pair("a", "EC", "DNS:mx.isp.example");
        struct loaded loaded = load_tls(TLS_WITH("tickets = no"));
        for (size_t i = 0; i < 2; i++) {
                SSL_SESSION *session = NULL;
                struct wish wish = {.version = versions[i], .ret_session = &session};
                cr_expect(connect_to(loaded.contexts, &wish).is_connected);
                if (session != NULL)
                        cr_expect_not(resume(&loaded, versions[i], &session));
                SSL_SESSION_free(session);
        }
        loaded_free(&loaded);
}

Test(tickets, reload_forgets_none)
{
        write_pair("a", "EC", "DNS:mx.isp.example");
        struct loaded first = load_tls(TLS);
        for (size_t i = 0; i < 2; i++) {
                SSL_SESSION *session = begin_session(&first, versions[i]);
                write_pair("a", "EC", "DNS:mx.isp.example"); /* another certificate */
                struct loaded second = load_tls_at(TLS, &first, TLS_AT_RELOAD);
                cr_expect(resume(&second, versions[i], &session));

                /* And whoever changes over to the keys of a fleet. */
                write_secrets(SECRET_1);
                struct loaded third = load_tls_at(FLEET, &second, TLS_AT_RELOAD);
                cr_expect(resume(&third, versions[i], &session));
                struct loaded fourth = load_tls_at(TLS, &third, TLS_AT_RELOAD);
                cr_expect(resume(&fourth, versions[i], &session));
                SSL_SESSION_free(session);
                loaded_free(&second);
                loaded_free(&third);
                loaded_free(&fourth);
        }
        loaded_free(&first);
}

Test(tickets, by_another_name)
{
        write_pair("a", "EC", "DNS:mx.isp.example");
        write_pair("b", "EC", "DNS:b.example");
        struct loaded loaded =
            load_tls(HOSTNAME "tls { certificate = {\"a.pem\"} key = {\"a.key\"} }"
                              "domain \"isp.example\" { recipients = \"people\" deliver = \"discard:\""
                              " tls_certificate = {\"b.pem\"} tls_key = {\"b.key\"} }");
        for (size_t i = 0; i < 2; i++) {
                SSL_SESSION *session = NULL, *next = NULL;
                struct wish wish = {
                    .server_name = "b.example", .version = versions[i], .ret_session = &session};
                cr_expect_str_eq(connect_to(loaded.contexts, &wish).name, "b");
                wish.session = session;
                wish.ret_session = &next;
                cr_expect(connect_to(loaded.contexts, &wish).is_resumed);
                SSL_SESSION_free(session);
                SSL_SESSION_free(next);
        }
        loaded_free(&loaded);
}

/* ---- time ---------------------------------------------------------------------------------------------- */

static void check_periods(const struct loaded *loaded, uint64_t now_s)
{
        for (size_t i = 0; i < 2; i++) {
                SSL_SESSION *old = begin_session(loaded, versions[i]), *spare = old;
                SSL_SESSION_up_ref(spare);
                tls_tickets_look(&tickets, now_s += HOURS_12);
                cr_expect(resume(loaded, versions[i], &old), "one period later");
                tls_tickets_look(&tickets, now_s += HOURS_12);
                cr_expect_not(resume(loaded, versions[i], &spare), "two periods later");
                cr_expect(resume(loaded, versions[i], &old), "the ticket was renewed");
                SSL_SESSION_free(old);
                SSL_SESSION_free(spare);
        }
}

Test(tickets, keys_of_our_own_turn)
{
        write_pair("a", "EC", "DNS:mx.isp.example");
        struct loaded loaded = load_tls(TLS);
        check_periods(&loaded, (uint64_t)time(NULL));
        loaded_free(&loaded);
}

Test(tickets, keys_of_a_fleet_turn)
{
        write_pair("a", "EC", "DNS:mx.isp.example");
        write_secrets(SECRET_1);
        struct loaded loaded = load_tls(FLEET);
        check_periods(&loaded, (uint64_t)time(NULL));
        loaded_free(&loaded);
}

Test(tickets, clock_that_is_set_back)
{
        write_pair("a", "EC", "DNS:mx.isp.example");
        struct loaded loaded = load_tls(TLS);
        tls_tickets_look(&tickets, (uint64_t)time(NULL) + 10 * HOURS_12);
        SSL_SESSION *session = begin_session(&loaded, TLS1_3_VERSION);
        tls_tickets_look(&tickets, (uint64_t)time(NULL) - HOURS_12);
        cr_expect(resume(&loaded, TLS1_3_VERSION, &session));
        tls_tickets_look(&tickets, (uint64_t)time(NULL));
        tls_tickets_look(&tickets, (uint64_t)time(NULL) + 1);
        cr_expect(resume(&loaded, TLS1_3_VERSION, &session));
        SSL_SESSION_free(session);
        loaded_free(&loaded);
}

/* ---- fleet --------------------------------------------------------------------------------------------- */

/* As another process would have it. */
static void be_another_machine(void)
{
        tls_tickets_end(&tickets);
        cr_assert(tls_tickets_init(&tickets));
}

Test(tickets, of_another_machine)
{
        write_pair("a", "EC", "DNS:mx.isp.example");
        write_secrets("# of the fleet\n\n" SECRET_1);
        struct loaded loaded = load_tls(FLEET);
        SSL_SESSION *session = begin_session(&loaded, TLS1_3_VERSION);
        loaded_free(&loaded);

        be_another_machine();
        loaded = load_tls(FLEET);
        cr_expect(resume(&loaded, TLS1_3_VERSION, &session));
        loaded_free(&loaded);

        /* A new secret in front: the one behind is still accepted. */
        be_another_machine();
        write_secrets(SECRET_2 SECRET_1);
        loaded = load_tls(FLEET);
        cr_expect(resume(&loaded, TLS1_3_VERSION, &session));
        loaded_free(&loaded);

        be_another_machine();
        write_secrets(SECRET_1);
        loaded = load_tls(FLEET);
        cr_expect_not(resume(&loaded, TLS1_3_VERSION, &session));
        loaded_free(&loaded);

        be_another_machine();
        loaded = load_tls(TLS);
        cr_expect_not(resume(&loaded, TLS1_3_VERSION, &session));
        SSL_SESSION_free(session);
        loaded_free(&loaded);
}

Test(tickets, of_machines_whose_clocks_differ)
{
        uint64_t period_s = (uint64_t)time(NULL) / HOURS_12 * HOURS_12;

        write_pair("a", "EC", "DNS:mx.isp.example");
        write_secrets(SECRET_1);
        for (int is_behind = 0; is_behind < 2; is_behind++) {
                struct loaded loaded = load_tls(FLEET);
                tls_tickets_look(&tickets, period_s + (is_behind ? HOURS_12 : HOURS_12 - 1) + HOURS_12);
                SSL_SESSION *session = begin_session(&loaded, TLS1_3_VERSION);
                loaded_free(&loaded);
                be_another_machine();
                loaded = load_tls(FLEET);
                tls_tickets_look(&tickets, period_s + (is_behind ? HOURS_12 - 1 : HOURS_12) + HOURS_12);
                cr_expect(resume(&loaded, TLS1_3_VERSION, &session), "is behind: %d", is_behind);
                SSL_SESSION_free(session);
                loaded_free(&loaded);
                be_another_machine();
        }
}

Test(tickets, wrong_files)
{
        static const struct {
                const char *text, *expected;
        } rows[] = {
            {"", "tickets: error: holds no secret\n"},
            {"# nothing\n", "tickets: error: holds no secret\n"},
            {"abc\n",
             "tickets:1: error: a secret has 64 hexadecimal digits; `openssl rand -hex 32` makes one\n"},
            {SECRET_1 "zz112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF",
             "tickets:2: error: a secret has no characters but hexadecimal digits\n"},
            {SECRET_1 SECRET_1 SECRET_1 SECRET_1 SECRET_2, "tickets:5: error: holds more than 4 secrets\n"},
        };
        write_pair("a", "EC", "DNS:mx.isp.example");
        check_tls_at(FLEET, TLS_AT_CHECK, "tickets: error: No such file or directory\n");
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                write_secrets(rows[i].text);
                check_tls_at(FLEET, TLS_AT_CHECK, rows[i].expected);
        }
        write_secrets(SECRET_1);
        chmod(path_of("tickets"), 0644);
        check_tls_at(FLEET, TLS_AT_CHECK,
                     "tickets: error: every user of this machine may read it; chmod o= makes it a secret\n");
}
