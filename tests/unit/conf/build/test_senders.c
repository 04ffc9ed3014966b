/* The store of senders in the configuration, and checks that need it. */
#include "tests/unit/conf/fixture.h"

#include <sys/stat.h>

#define SENTINEL_FAULT                                                                                       \
        "redis+sentinel:// needs up to 8 of ADDRESS:PORT, separated by commas, and /NAME of the master"

TestSuite(senders, .init = folder_begin, .fini = folder_end);

Test(senders, names_a_folder_or_servers)
{
        char path[128];
        struct snapshot *snapshot = load(HOSTNAME DOMAIN);
        cr_expect_eq(snapshot->sender_store.kind, SENDER_STORE_NONE);
        cr_expect_null(snapshot->suffixes);
        snapshot_free(snapshot);

        snapshot = load(HOSTNAME "sender_store = \"lmdb:a/../state\" greylist { mode = observe }\n" DOMAIN);
        snprintf(path, sizeof path, "%s/state", folder);
        cr_expect_eq(snapshot->sender_store.kind, SENDER_STORE_LMDB);
        cr_expect_str_eq(snapshot->sender_store.path, path);
        cr_expect(snapshot->check_is_wanted[CHECK_greylist]);
        cr_expect_not_null(snapshot->suffixes);
        snapshot_free(snapshot);

        snapshot = load(HOSTNAME "sender_store = \"redis://127.0.0.1:6379,[::1]:6380\"\n" DOMAIN);
        cr_expect_eq(snapshot->sender_store.kind, SENDER_STORE_REDIS);
        cr_assert_eq(snapshot->sender_store.instance_count, 1);
        cr_assert_eq(snapshot->sender_store.instances[0].servers.count, 2);
        cr_expect_eq(snapshot->sender_store.instances[0].servers.endpoints[1].port, 6380);
        snapshot_free(snapshot);
}

#if REDIS_HAS_TLS
#define TLS_FAULT ""
#else
#define TLS_FAULT                                                                                            \
        "(text):2: error: sender_store: rediss: this program was built with a hiredis that has no TLS "      \
        "(hiredis_ssl of hiredis 1.0 or later)\n"
#endif

Test(senders, several_instances_and_sentinels)
{
        const struct sender_target *target;
        struct snapshot *snapshot =
            load(HOSTNAME "sender_store = \"redis://127.0.0.1:1,127.0.0.1:2 | [::1]:3\"\n" DOMAIN);

        target = &snapshot->sender_store;
        cr_assert_eq(target->instance_count, 2);
        cr_expect_str_eq(target->instances[0].name, "127.0.0.1:1");
        cr_expect_eq(target->instances[0].servers.count, 2);
        cr_expect_str_eq(target->instances[1].name, "[::1]:3");
        cr_expect_eq(target->sentinels.count, 0);
        cr_expect_not(target->uses_tls);
        snapshot_free(snapshot);

        snapshot = load(HOSTNAME
                        "sender_store = \"redis+sentinel://127.0.0.1:1,127.0.0.1:2/one|two.b-c_d\"\n" DOMAIN);
        target = &snapshot->sender_store;
        cr_assert_eq(target->instance_count, 2);
        cr_expect_str_eq(target->instances[1].name, "two.b-c_d");
        cr_expect_eq(target->instances[1].servers.count, 0);
        cr_expect_eq(target->sentinels.count, 2);
        snapshot_free(snapshot);

        check_complaints(HOSTNAME DOMAIN "sender_store = \"rediss://127.0.0.1:1\"", TLS_FAULT);
        check_complaints(HOSTNAME DOMAIN "sender_store = \"rediss+sentinel://127.0.0.1:1/x\"", TLS_FAULT);
}

Test(senders, wrong_instances_and_sentinels_are_errors)
{
        static const struct {
                const char *store, *fault;
        } cases[] = {
            {"redis://127.0.0.1:1|", "redis:// needs up to 8 of ADDRESS:PORT, separated by commas"},
            {"redis://127.0.0.1:1|127.0.0.1:1,127.0.0.1:2", "names an instance twice"},
            {"redis://[::1]:1|[::1]:2|[::1]:3|[::1]:4|[::1]:5|[::1]:6|[::1]:7|[::1]:8|[::1]:9",
             "at most 8 instances share the records"},
            {"redis+sentinel://127.0.0.1:1", SENTINEL_FAULT},
            {"redis+sentinel://127.0.0.1:1/", SENTINEL_FAULT},
            {"redis+sentinel:///x", SENTINEL_FAULT},
            {"redis+sentinel://127.0.0.1:1/a b", SENTINEL_FAULT},
            {"redis+sentinel://127.0.0.1:1/a|", SENTINEL_FAULT},
            {"redis+sentinel://127.0.0.1:1/a|a", "names an instance twice"},
            {"redis+sentinel://127.0.0.1/a", SENTINEL_FAULT},
        };
        char text[512], expected[512];

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                snprintf(text, sizeof text, "%ssender_store = \"%s\"", HOSTNAME DOMAIN, cases[i].store);
                snprintf(expected, sizeof expected, "(text):2: error: sender_store: %s\n", cases[i].fault);
                check_complaints(text, expected);
        }
        check_complaints(HOSTNAME DOMAIN "sender_store = \"redis://127.0.0.1:1\"\nsender_user = \"x\"",
                         "(text):3: error: sender_user: needs sender_password_file too\n");
}

#define PASSWORD_FILE "sender_password_file = \"password\"\n"

/* What is said of a password file of this text and mode, behind its path. */
static void check_password_file(const char *text, mode_t mode, const char *expected)
{
        char path[256], complaint[512] = "";

        write_file("password", text, strlen(text));
        snprintf(path, sizeof path, "%s/password", folder);
        cr_assert_eq(chmod(path, mode), 0);
        if (expected[0] != '\0')
                snprintf(complaint, sizeof complaint, "(text):1: error: sender_password_file: %s: %s\n", path,
                         expected);
        check_complaints(HOSTNAME PASSWORD_FILE DOMAIN, complaint);
}

Test(senders, a_password_in_a_file_of_its_own)
{
        static const char open_file[] = "every user of this machine may read it; chmod o= makes it a secret";

        check_password_file("geheim\n", 0640, "");
        struct snapshot *snapshot = load(HOSTNAME PASSWORD_FILE DOMAIN);
        cr_expect_str_eq(snapshot->options.sender_password, "geheim");
        snapshot_free(snapshot);
        check_password_file("\xef\xbb\xbf"
                            "a b\r\n",
                            0600, "");
        snapshot = load(HOSTNAME PASSWORD_FILE DOMAIN);
        cr_expect_str_eq(snapshot->options.sender_password, "a b");
        snapshot_free(snapshot);
        check_password_file("geheim\n", 0644, open_file);
        check_password_file("geheim\n", 0602, open_file);
        check_password_file("", 0600, "holds no password");
        check_password_file("\n", 0600, "holds no password");
        check_password_file("a\nb\n", 0600, "must hold one line, without control characters");
}

Test(senders, a_password_in_the_configuration_is_looked_at_too)
{
        static const char text[] = "hostname = \"mx.isp.example\"\nsender_password = \"geheim\"\n" DOMAIN;
        static const mode_t modes[] = {0600, 0640, 0644};
        char path[256];

        snprintf(path, sizeof path, "%s/conf", folder);
        for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
                struct conf_complaints complaints = {0};
                write_file("conf", text, strlen(text));
                cr_assert_eq(chmod(path, modes[i]), 0);
                snapshot_free(snapshot_load(path, &complaints));
                cr_expect_eq(complaints.errors, 0);
                cr_expect_eq(complaints.warnings, modes[i] == 0644, "%o", modes[i]);
                cr_expect(complaints.text == NULL ||
                          strstr(complaints.text, "conf:2: warning: sender_password: every user"));
                conf_complaints_end(&complaints);
        }
        write_file("password", "x", 1);
        snprintf(path, sizeof path,
                 "(text):1: error: sender_password_file: %s/password: sender_password is set too; one of "
                 "both is enough\n",
                 folder);
        check_complaints(HOSTNAME PASSWORD_FILE DOMAIN "sender_password = \"geheim\"\n", path);
}

#define SERVERS_FAULT "redis:// needs up to 8 of ADDRESS:PORT, separated by commas\n"

Test(senders, wrong_stores_are_errors)
{
        check_complaints(HOSTNAME DOMAIN "sender_store = \"/var/lib/x\"",
                         "(text):2: error: sender_store: must be lmdb:FOLDER, redis://ADDRESS:PORT, or "
                         "redis+sentinel://ADDRESS:PORT/NAME\n");
        check_complaints(HOSTNAME DOMAIN "sender_store = \"lmdb:\"",
                         "(text):2: error: sender_store: must be lmdb:FOLDER, redis://ADDRESS:PORT, or "
                         "redis+sentinel://ADDRESS:PORT/NAME\n");
        check_complaints(HOSTNAME DOMAIN "sender_store = \"redis://localhost:6379\"",
                         "(text):2: error: sender_store: " SERVERS_FAULT);
        check_complaints(HOSTNAME DOMAIN "sender_store = \"redis://127.0.0.1:6379,\"",
                         "(text):2: error: sender_store: " SERVERS_FAULT);
        check_complaints(HOSTNAME DOMAIN
                         "sender_store = \"redis://127.0.0.1:1,127.0.0.1:2,127.0.0.1:3,127.0.0.1:4,"
                         "127.0.0.1:5,127.0.0.1:6,127.0.0.1:7,127.0.0.1:8,127.0.0.1:9\"",
                         "(text):2: error: sender_store: " SERVERS_FAULT);
        check_complaints(HOSTNAME DOMAIN "sender_store = \"redis://127.0.0.1:6379\"\n"
                                         "sender_prefix = "
                                         "\"0123456789012345678901234567890123456789012345678901234567890\"",
                         "(text):3: error: sender_prefix: at most 60 octets\n");
}

Test(senders, shared_rates_need_redis)
{
        static const char error[] =
            "(text):2: error: shared: needs what other machines use too: set sender_store to redis://...\n";

        check_complaints(HOSTNAME DOMAIN "client_rate { shared = yes }", error);
        check_complaints(HOSTNAME DOMAIN "client_rate { shared = yes } sender_store = \"lmdb:state\"", error);
        struct snapshot *snapshot = load(HOSTNAME DOMAIN "client_rate { shared = yes }\n"
                                                         "sender_store = \"redis://127.0.0.1:6379\"");
        cr_expect(snapshot->options.client_rate_shared);
        snapshot_free(snapshot);
}

Test(senders, greylist_needs_one)
{
        static const char error[] =
            "error: greylist: needs a place to remember senders in: set sender_store\n";
        char expected[256];

        snprintf(expected, sizeof expected, "(text):2: %s", error);
        check_complaints(HOSTNAME DOMAIN "greylist { mode = enforce }", expected);
        snprintf(expected, sizeof expected, "(text):3: %s", error);
        check_complaints(HOSTNAME "domain \"a.example\" { recipients = \"people\" deliver = \"discard:\"\n\n"
                                  "greylist { mode = observe } }",
                         expected);
        check_complaints(HOSTNAME DOMAIN "greylist { mode = off delay = 1m }", "");
        check_complaints(
            HOSTNAME DOMAIN
            "sender_store = \"lmdb:x\"\ngreylist { mode = enforce delay = 1h\nretry_window = 1h }",
            "(text):4: error: retry_window: must be longer than delay, or nobody would ever pass\n");
}

Test(senders, old_names_are_read)
{
        struct snapshot *snapshot = load(HOSTNAME DOMAIN "state_store = \"redis://127.0.0.1:6379\"\n"
                                                         "state_timeout = 250ms state_readable = no");
        cr_expect_eq(snapshot->sender_store.kind, SENDER_STORE_REDIS);
        cr_expect_eq(snapshot->options.sender_timeout_ms, 250);
        cr_expect_not(snapshot->options.sender_readable);
        snapshot_free(snapshot);
        check_complaints(HOSTNAME DOMAIN "sender_size = 8M\nstate_size = 16M",
                         "(text):3: error: sender_size is given twice, first in (text):2\n");
}
