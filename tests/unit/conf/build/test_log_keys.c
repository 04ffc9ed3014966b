/* The keys of the log's pseudonyms in the configuration. */
#include "conf/build/log_keys.h"
#include "tests/unit/conf/fixture.h"

#include <sys/stat.h>

#define SECRET "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define NAMED  "log_pseudonym_key_file = \"log.keys\"\n"
#define HIDDEN NAMED "log_addresses = pseudonym\n"

TestSuite(log_keys, .init = folder_begin, .fini = folder_end);

static void write_keys(const char *text, mode_t mode)
{
        char path[256];

        write_file("log.keys", text, strlen(text));
        snprintf(path, sizeof path, "%s/log.keys", folder);
        cr_assert_eq(chmod(path, mode), 0);
}

static void check(const char *text, mode_t mode, const char *message)
{
        char complaint[512];

        write_keys(text, mode);
        snprintf(complaint, sizeof complaint, "(text):1: error: log_pseudonym_key_file: %s/log.keys: %s\n",
                 folder, message);
        check_complaints(HOSTNAME HIDDEN DOMAIN, complaint);
}

Test(log_keys, are_read_where_the_log_has_pseudonyms)
{
        write_keys("# of this site\n2026-11-01:" SECRET "\n\n2026-12-01:" SECRET "\n", 0600);
        struct snapshot *snapshot = load(HOSTNAME HIDDEN DOMAIN);
        cr_assert_not_null(snapshot->log_keys);
        cr_expect_eq(snapshot->log_keys->count, 2);
        cr_expect_eq(snapshot->log_keys->keys[1].day, 20261201);
        snapshot_free(snapshot);
}

Test(log_keys, are_left_alone_by_a_server_that_needs_none)
{
        struct snapshot *snapshot = load(HOSTNAME NAMED DOMAIN);
        cr_expect_null(snapshot->log_keys);
        snapshot_free(snapshot);
}

Test(log_keys, what_is_wrong_is_told)
{
        check_complaints(HOSTNAME "log_addresses = pseudonym\n" DOMAIN,
                         "(text):1: error: log_addresses: pseudonyms need log_pseudonym_key_file\n");
        check("2026-11-01:" SECRET "\n", 0604,
              "every user of this machine may read it; chmod o= makes it a secret");
        check("# none\n", 0600, "holds no key; gatepost log new-key makes one");
}

Test(log_keys, a_wrong_line_is_named)
{
        char complaint[512];

        write_keys("2026-12-01:" SECRET "\n2026-11-01:" SECRET "\n", 0600);
        snprintf(complaint, sizeof complaint,
                 "%s/log.keys:2: error: the oldest key must come first, and each day has one key\n", folder);
        check_complaints(HOSTNAME HIDDEN DOMAIN, complaint);
}
