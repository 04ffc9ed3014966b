/* The store of senders in the configuration, and checks that need it. */
#include "tests/unit/conf/fixture.h"

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
        cr_assert_eq(snapshot->sender_store.servers.count, 2);
        cr_expect_eq(snapshot->sender_store.servers.endpoints[1].port, 6380);
        snapshot_free(snapshot);
}

#define SERVERS_FAULT "redis:// needs up to 8 of ADDRESS:PORT, separated by commas\n"

Test(senders, wrong_stores_are_errors)
{
        check_complaints(HOSTNAME DOMAIN "sender_store = \"/var/lib/x\"",
                         "(text):2: error: sender_store: must be lmdb:FOLDER or redis://ADDRESS:PORT\n");
        check_complaints(HOSTNAME DOMAIN "sender_store = \"lmdb:\"",
                         "(text):2: error: sender_store: must be lmdb:FOLDER or redis://ADDRESS:PORT\n");
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
