/* Which certificate a client sees, in which version, and what a reload takes over. */
#include "tests/unit/workers/tls/fixture.h"
#include "workers/tls/certificate.h"

#include <fcntl.h>

TestSuite(contexts, .init = tls_begin, .fini = tls_end);

#define TLS_BEGIN      HOSTNAME DOMAIN "tls { certificate = {\"a.pem\"} key = {\"a.key\"} "
#define TLS_WITH(more) TLS_BEGIN more " }"
#define TLS            TLS_WITH("")
#define NAMES          "DNS:mx.isp.example"

/* ---- versions and kinds -------------------------------------------------------------------------------- */

Test(contexts, versions)
{
        static const int versions[] = {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};
        static const char *const minimums[] = {"1.0", "1.1", "1.2", "1.3"};
        char text[512];

        write_pair("a", "EC", NAMES);
        for (size_t minimum = 0; minimum < 4; minimum++) {
                snprintf(text, sizeof text, "%s minimum = %s }", TLS_BEGIN, minimums[minimum]);
                struct loaded loaded = load_tls(text);
                for (size_t i = 0; i < 4; i++) {
                        struct seen seen =
                            connect_to(loaded.contexts, &(struct wish){.version = versions[i]});
                        cr_expect_eq(seen.is_connected, i >= minimum, "%s at %s", minimums[i],
                                     minimums[minimum]);
                }
                struct seen best = connect_to(loaded.contexts, &(struct wish){0});
                cr_expect_eq(best.version, TLS1_3_VERSION);
                loaded_free(&loaded);
        }
}

Test(contexts, ecdsa_and_rsa_together)
{
        write_pair("a", "EC", NAMES);
        write_pair("b", "RSA", NAMES);
        struct loaded loaded = load_tls(
            HOSTNAME DOMAIN "tls { certificate = {\"a.pem\", \"b.pem\"} key = {\"a.key\", \"b.key\"} }");
        struct wish wish = {.version = TLS1_2_VERSION};
        cr_expect_str_eq(connect_to(loaded.contexts, &wish).name, "a");
        wish.ciphers = "ECDHE-RSA-AES128-GCM-SHA256";
        cr_expect_str_eq(connect_to(loaded.contexts, &wish).name, "b");
        loaded_free(&loaded);
}

Test(contexts, weak_ciphers_are_for_old_versions_alone)
{
        static const char *const ciphers[] = {"AES128-SHA", "DHE-RSA-AES128-GCM-SHA256",
                                              "ECDHE-RSA-AES128-SHA", "NULL-SHA256"};
        write_pair("a", "RSA", NAMES);
        struct loaded loaded = load_tls(TLS), old = load_tls(TLS_WITH("minimum = 1.0"));
        for (size_t i = 0; i < 4; i++) {
                struct wish wish = {.version = TLS1_2_VERSION, .ciphers = ciphers[i]};
                cr_expect_not(connect_to(loaded.contexts, &wish).is_connected, "%s", ciphers[i]);
                cr_expect_eq(connect_to(old.contexts, &wish).is_connected, i == 0 || i == 2, "%s",
                             ciphers[i]);
        }
        loaded_free(&loaded);
        loaded_free(&old);
}

Test(contexts, modes)
{
        write_pair("a", "EC", NAMES);
        struct loaded loaded = load_tls(TLS);
        SSL *ssl = tls_contexts_new_ssl(loaded.contexts);
        uint64_t options = SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF;
        cr_expect_eq(SSL_get_options(ssl) & options, options);
        cr_expect((SSL_get_mode(ssl) & SSL_MODE_RELEASE_BUFFERS) != 0);
        cr_expect_eq(SSL_get_verify_mode(ssl), SSL_VERIFY_NONE);
        cr_expect_eq(SSL_get_num_tickets(ssl), 1);
        cr_expect_eq(SSL_is_server(ssl), 1);
        SSL_free(ssl);
        loaded_free(&loaded);
        loaded = load_tls(TLS_WITH("client_certificates = ask"));
        ssl = tls_contexts_new_ssl(loaded.contexts);
        cr_expect_eq(SSL_get_verify_mode(ssl), SSL_VERIFY_PEER);
        SSL_free(ssl);
        cr_expect(connect_to(loaded.contexts, &(struct wish){0}).is_connected);
        loaded_free(&loaded);
}

/* ---- names --------------------------------------------------------------------------------------------- */

#define SNI                                                                                                  \
        HOSTNAME "tls { certificate = {\"a.pem\"} key = {\"a.key\"} }"                                       \
                 "domain \"isp.example\" { recipients = \"people\" deliver = \"discard:\" }"                 \
                 "domain \"one.example\" { recipients = \"people\" deliver = \"discard:\""                   \
                 " tls_certificate = {\"b.pem\"} tls_key = {\"b.key\"} }"                                    \
                 "domain \"two.example\" { recipients = \"people\" deliver = \"discard:\""                   \
                 " tls_certificate = {\"c.pem\"} tls_key = {\"c.key\"} }"

Test(contexts, server_names)
{
        static const struct {
                const char *asked, *expected;
        } rows[] = {
            {NULL, "a"},
            {"mx.isp.example", "a"},
            {"mail.one.example", "b"},
            {"MAIL.One.Example", "b"},
            {"mail.one.example.", "b"},
            {"mx.two.example", "c"},
            {"special.two.example", "b"}, /* a name goes before a wildcard */
            {"two.example", "a"},
            {"deep.mx.two.example", "a"}, /* a wildcard is one label */
            {"unknown.example", "a"},
            {".two.example", "a"},
        };
        write_pair("a", "EC", NAMES);
        write_pair("b", "EC", "DNS:mail.one.example,DNS:special.two.example");
        write_pair("c", "EC", "DNS:*.two.example");
        struct loaded loaded = load_tls(SNI);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
                for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
                        struct wish wish = {.server_name = rows[i].asked, .version = version};
                        struct seen seen = connect_to(loaded.contexts, &wish);
                        cr_expect_str_eq(seen.name, rows[i].expected, "%s saw %s", rows[i].asked, seen.name);
                }
        loaded_free(&loaded);
}

Test(contexts, thousand_names)
{
        static char names[32768];
        size_t length = 0;

        for (int i = 0; i < 1000; i++)
                length += (size_t)snprintf(names + length, sizeof names - length, "%sDNS:mail.%d.example",
                                           i == 0 ? "" : ",", i);
        write_pair("a", "EC", NAMES);
        write_pair("b", "EC", names);
        write_pair("c", "EC", "DNS:c.example");
        struct loaded loaded = load_tls(SNI);
        cr_expect_str_eq(connect_to(loaded.contexts, &(struct wish){.server_name = "mail.999.example"}).name,
                         "b");
        cr_expect_str_eq(connect_to(loaded.contexts, &(struct wish){.server_name = "mail.1000.example"}).name,
                         "a");
        loaded_free(&loaded);
}

Test(contexts, one_certificate_for_many_domains_is_read_once)
{
        write_pair("a", "EC", NAMES);
        write_pair("b", "EC", "DNS:b.example");
        cr_assert_eq(symlink("b.pem", path_of("c.pem")), 0);
        cr_assert_eq(symlink("b.key", path_of("c.key")), 0);
        struct loaded loaded = load_tls(SNI);
        cr_expect_eq(tls_contexts_certificate_count(loaded.contexts), 3); /* c is another path */
        loaded_free(&loaded);
        loaded = load_tls(HOSTNAME "tls { certificate = {\"a.pem\"} key = {\"a.key\"} }"
                                   "domain \"isp.example\" { recipients = \"people\" deliver = \"discard:\""
                                   " tls_certificate = {\"a.pem\"} tls_key = {\"a.key\"} }");
        cr_expect_eq(tls_contexts_certificate_count(loaded.contexts), 1);
        loaded_free(&loaded);
}

/* ---- reload -------------------------------------------------------------------------------------------- */

static struct tls_certificate *only_certificate(const struct loaded *loaded)
{
        return tls_contexts_certificate(loaded->contexts, 0);
}

static SSL_CTX *context_of(const struct loaded *loaded)
{
        SSL *ssl = tls_contexts_new_ssl(loaded->contexts);
        SSL_CTX *context = SSL_get_SSL_CTX(ssl);
        SSL_free(ssl);
        return context;
}

Test(contexts, unchanged_files_are_not_parsed_again)
{
        write_pair("a", "EC", NAMES);
        struct loaded first = load_tls(TLS), same = load_tls_at(TLS, &first, TLS_AT_RELOAD);
        cr_expect_eq(only_certificate(&same), only_certificate(&first));
        cr_expect_eq(context_of(&same), context_of(&first));

        /* The context has the options in it, the certificate does not. */
        struct loaded other = load_tls_at(TLS_WITH("minimum = 1.3"), &same, TLS_AT_RELOAD);
        cr_expect_eq(only_certificate(&other), only_certificate(&first));
        cr_expect_neq(context_of(&other), context_of(&first));

        /* Those before may end first. */
        loaded_free(&first);
        loaded_free(&same);
        cr_expect_str_eq(connect_to(other.contexts, &(struct wish){0}).name, "a");
        loaded_free(&other);
}

Test(contexts, changed_files_are_read)
{
        write_pair("a", "EC", NAMES);
        struct loaded first = load_tls(TLS);
        write_pair("b", "EC", NAMES);
        rename(path_of("b.pem"), path_of("a.pem"));
        rename(path_of("b.key"), path_of("a.key"));
        struct loaded second = load_tls_at(TLS, &first, TLS_AT_RELOAD);
        cr_expect_neq(only_certificate(&second), only_certificate(&first));
        cr_expect_str_eq(connect_to(second.contexts, &(struct wish){0}).name, "b");
        cr_expect_str_eq(connect_to(first.contexts, &(struct wish){0}).name, "a");
        loaded_free(&first);
        loaded_free(&second);
}

/* Other octets in the same file, of the same length and with the same time of writing, as some copies leave them. */
static void rewrite(const char *name, const char *from)
{
        enum { LENGTH = 4096 };
        struct stat before, now;
        char octets[LENGTH];

        memset(octets, '\n', sizeof octets);
        FILE *file = open_file(from, "r");
        cr_assert_gt(fread(octets, 1, sizeof octets, file), 0);
        fclose(file);
        cr_assert_eq(stat(path_of(name), &before), 0);
        /* The kernel's clock for files has steps. */
        do {
                file = open_file(name, "r+");
                cr_assert_eq(fwrite(octets, 1, sizeof octets, file), sizeof octets);
                fclose(file);
                const struct timespec times[] = {before.st_mtim, before.st_mtim};
                cr_assert_eq(utimensat(AT_FDCWD, path_of(name), times, 0), 0);
                cr_assert_eq(stat(path_of(name), &now), 0);
        } while (now.st_ctim.tv_sec == before.st_ctim.tv_sec &&
                 now.st_ctim.tv_nsec == before.st_ctim.tv_nsec);
}

Test(contexts, files_changed_under_their_former_time_are_read)
{
        write_pair("a", "EC", NAMES);
        write_pair("b", "EC", NAMES);
        rewrite("a.pem", "a.pem");
        rewrite("a.key", "a.key");
        struct loaded first = load_tls(TLS);
        rewrite("a.pem", "b.pem");
        rewrite("a.key", "b.key");
        struct loaded second = load_tls_at(TLS, &first, TLS_AT_RELOAD);
        cr_expect_str_eq(connect_to(second.contexts, &(struct wish){0}).name, "b");
        loaded_free(&first);
        loaded_free(&second);
}

Test(contexts, unchanged_key_that_has_become_public_is_an_error)
{
        write_pair("a", "EC", NAMES);
        struct loaded first = load_tls(TLS);
        chmod(path_of("a.key"), 0644);
        struct loaded second = load_tls_at(TLS, &first, TLS_AT_RELOAD);
        cr_expect(second.contexts == NULL && second.complaints.errors == 1);
        loaded_free(&first);
        loaded_free(&second);
}
