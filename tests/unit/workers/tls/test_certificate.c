/* Certificates and keys that cannot be served, or should not be: each has its complaint. */
#include "tests/unit/workers/tls/fixture.h"

TestSuite(certificate, .init = tls_begin, .fini = tls_end);

#define TLS    HOSTNAME DOMAIN "tls { certificate = {\"a.pem\"} key = {\"a.key\"} }"
#define NAMES  "DNS:mx.isp.example"
#define PUBLIC "every user of this machine may read it; chmod o= makes it a secret\n"

Test(certificate, good_pair_has_no_complaint)
{
        write_pair("a", "EC", NAMES);
        check_tls_at(TLS, TLS_AT_CHECK, "");
}

Test(certificate, without_one_there_is_no_tls)
{
        struct loaded loaded = load_tls_at(HOSTNAME DOMAIN, NULL, TLS_AT_START);
        cr_expect(loaded.contexts == NULL && loaded.complaints.errors == 0);
        cr_expect_not(snapshot_has_tls(loaded.snapshot));
        loaded_free(&loaded);
}

Test(certificate, one_file_may_hold_both)
{
        struct made made = make("EC", &(struct wanted){NAMES, "a", NULL, NULL, -1, 90, false});
        write_key("a.pem", made.key);
        FILE *file = open_file("a.pem", "a");
        PEM_write_X509(file, made.certificate);
        fclose(file);
        check_tls_at(HOSTNAME DOMAIN "tls { certificate = {\"a.pem\"} }", TLS_AT_CHECK, "");
        chmod(path_of("a.pem"), 0644);
        check_tls_at(HOSTNAME DOMAIN "tls { certificate = {\"a.pem\"} }", TLS_AT_CHECK,
                     "a.pem: error: " PUBLIC);
        made_free(&made);
}

Test(certificate, missing_file)
{
        check_tls_at(TLS, TLS_AT_CHECK, "a.pem: error: No such file or directory\n");
        write_pair("a", "EC", NAMES);
        remove(path_of("a.key"));
        check_tls_at(TLS, TLS_AT_CHECK, "a.key: error: No such file or directory\n");
}

Test(certificate, key_that_others_may_read_or_write)
{
        write_pair("a", "EC", NAMES);
        chmod(path_of("a.key"), 0640);
        check_tls_at(TLS, TLS_AT_CHECK, "");
        chmod(path_of("a.key"), 0644);
        check_tls_at(TLS, TLS_AT_CHECK, "a.key: error: " PUBLIC);
        chmod(path_of("a.key"), 0660);
        check_tls_at(TLS, TLS_AT_CHECK, "a.key: error: its group may write it; chmod g-w\n");
}

Test(certificate, key_of_another)
{
        write_pair("a", "EC", NAMES);
        write_pair("b", "EC", NAMES);
        rename(path_of("b.key"), path_of("a.key"));
        check_tls_at(TLS, TLS_AT_CHECK, "a.key: error: is not the key of a.pem\n");
        write_pair("b", "RSA", NAMES);
        rename(path_of("b.key"), path_of("a.key"));
        check_tls_at(TLS, TLS_AT_CHECK, "a.key: error: is not the key of a.pem\n");
}

Test(certificate, what_is_no_pem)
{
        write_pair("a", "EC", NAMES);
        write_file("a.key", "nothing\n", 8);
        check_tls_at(TLS, TLS_AT_CHECK, "a.key: error: holds no private key in PEM\n");
        write_file("a.pem", "nothing\n", 8);
        check_tls_at(TLS, TLS_AT_CHECK, "a.pem: error: holds no certificate in PEM\n");
        write_file("a.pem", "", 0);
        check_tls_at(TLS, TLS_AT_CHECK, "a.pem: error: holds no certificate in PEM\n");
}

Test(certificate, no_key_is_set)
{
        write_pair("a", "EC", NAMES);
        check_tls_at(
            HOSTNAME DOMAIN "tls { certificate = {\"a.pem\"} }", TLS_AT_CHECK,
            "a.pem: error: holds no private key, and no other file is set as its key (`key` in section "
            "tls, `tls_key` in a domain)\n");
}

static size_t read_text(const char *name, char *room, size_t size)
{
        FILE *file = open_file(name, "r");
        size_t length = fread(room, 1, size, file);
        fclose(file);
        return length;
}

Test(certificate, what_a_file_ends_in_the_midst_of_is_named)
{
        char text[8192];

        write_pair("a", "EC", NAMES);
        size_t length = read_text("a.pem", text, sizeof text / 2);
        write_file("a.pem", text, length / 2);
        check_tls_at(TLS, TLS_AT_CHECK, "a.pem: error: ends in the midst of certificate 1\n");
        memcpy(text + length, text, length);
        write_file("a.pem", text, length + 20);
        check_tls_at(TLS, TLS_AT_CHECK, "a.pem: error: ends in the midst of certificate 2\n");
        write_file("a.pem", text, 2 * length - 4);
        check_tls_at(TLS, TLS_AT_CHECK, "a.pem: error: ends in the midst of certificate 2\n");
        text[length + length / 2] = '!';
        write_file("a.pem", text, 2 * length);
        check_tls_at(TLS, TLS_AT_CHECK, "a.pem: error: certificate 2 is damaged: bad base64 decode\n");
        write_pair("a", "EC", NAMES);
        length = read_text("a.key", text, sizeof text);
        write_file("a.key", text, length / 2);
        check_tls_at(TLS, TLS_AT_CHECK, "a.key: error: ends in the midst of the private key\n");
        text[length / 2] = '!';
        write_file("a.key", text, length);
        check_tls_at(TLS, TLS_AT_CHECK, "a.key: error: the private key is damaged\n");
}

Test(certificate, key_behind_it_that_is_torn)
{
        char text[8192];

        write_pair("a", "EC", NAMES);
        size_t length = read_text("a.pem", text, sizeof text);
        length += read_text("a.key", text + length, sizeof text - length);
        write_file("a.pem", text, length - 40);
        check_tls_at(HOSTNAME DOMAIN "tls { certificate = {\"a.pem\"} }", TLS_AT_CHECK,
                     "a.pem: error: ends in the midst of the private key\n");
}

Test(certificate, torn_file)
{
        char text[8192];

        write_pair("a", "EC", NAMES);
        size_t length = read_text("a.pem", text, sizeof text);
        for (size_t cut = 0; cut < length - 1; cut += 7) {
                write_file("a.pem", text, cut);
                struct loaded loaded = load_tls_at(TLS, NULL, TLS_AT_START);
                cr_expect(loaded.contexts == NULL && loaded.complaints.errors == 1, "cut at %zu", cut);
                loaded_free(&loaded);
        }
}

Test(certificate, folder_and_fifo_and_giant)
{
        write_pair("a", "EC", NAMES);
        remove(path_of("a.pem"));
        mkdir(path_of("a.pem"), 0755);
        check_tls_at(TLS, TLS_AT_CHECK, "a.pem: error: is not a regular file\n");
        remove(path_of("a.pem"));
        mkfifo(path_of("a.pem"), 0644);
        check_tls_at(TLS, TLS_AT_CHECK, "a.pem: error: is not a regular file\n");
        remove(path_of("a.pem"));
        write_file("a.pem", "", 0);
        cr_assert_eq(truncate(path_of("a.pem"), (2 << 20)), 0);
        check_tls_at(TLS, TLS_AT_CHECK, "a.pem: error: is larger than 1 MiB\n");
}

Test(certificate, encrypted_key_asks_nobody)
{
        struct made made = make("EC", &(struct wanted){NAMES, "a", NULL, NULL, -1, 90, false});
        write_certificates("a.pem", 1, &made.certificate);
        for (int is_traditional = 0; is_traditional < 2; is_traditional++) {
                BIO *file = BIO_new_file(path_of("a.key"), "w");
                if (is_traditional)
                        PEM_write_bio_PrivateKey_traditional(file, made.key, EVP_aes_128_cbc(),
                                                             (void *)"secret", 6, NULL, NULL);
                else
                        PEM_write_bio_PrivateKey(file, made.key, EVP_aes_128_cbc(), (void *)"secret", 6, NULL,
                                                 NULL);
                BIO_free(file);
                chmod(path_of("a.key"), 0600);
                check_tls_at(
                    TLS, TLS_AT_CHECK,
                    "a.key: error: the key is encrypted, and nobody is asked for a passphrase; `openssl "
                    "pkey -in FILE -out NEWFILE` decrypts it\n");
        }
        made_free(&made);
}

Test(certificate, weak_key)
{
        write_pair("a", "weak", NAMES);
        check_tls_at(
            TLS, TLS_AT_CHECK,
            "a.pem: error: its key is too small (RSA 1024): RSA needs 2048 bits at least, and ECDSA 224\n");
}

Test(certificate, two_of_a_kind)
{
        write_pair("a", "EC", NAMES);
        write_pair("b", "EC", NAMES);
        check_tls_at(
            HOSTNAME DOMAIN "tls { certificate = {\"a.pem\", \"b.pem\"} key = {\"a.key\", \"b.key\"} }",
            TLS_AT_CHECK,
            "b.pem: error: another certificate beside it has the same kind of key: a client could be shown "
            "one only\n");
}

/* ---- times --------------------------------------------------------------------------------------------- */

Test(certificate, days_left)
{
        write_pair_until("a", "EC", NAMES, 14);
        check_tls_at(TLS, TLS_AT_CHECK, "");
        write_pair_until("a", "EC", NAMES, 13);
        check_tls_at(TLS, TLS_AT_CHECK, "a.pem: warning: expires in 13 days\n");
        write_pair_until("a", "EC", NAMES, 1);
        check_tls_at(TLS, TLS_AT_CHECK, "a.pem: warning: expires in 1 day\n");
}

static void check_days(const char *text, enum tls_moment moment, const char *kind, const char *what,
                       long days)
{
        char expected[128], date[16];
        struct tm fields;
        time_t time_then = time(NULL) + days * DAY_S + (days < 0 ? 1800 : 0);

        strftime(date, sizeof date, "%Y-%m-%d", gmtime_r(&time_then, &fields));
        snprintf(expected, sizeof expected, "a.pem: %s: %s %s\n", kind, what, date);
        check_tls_at(text, moment, expected);
}

Test(certificate, expired_is_an_error_but_at_the_start)
{
        write_pair_until("a", "EC", NAMES, -3);
        check_days(TLS, TLS_AT_CHECK, "error", "has expired on", -3);
        check_days(TLS, TLS_AT_RELOAD, "error", "has expired on", -3);
        check_days(TLS, TLS_AT_START, "warning", "has expired on", -3);
}

Test(certificate, expired_one_in_force_does_not_block_a_reload)
{
        write_pair_until("a", "EC", NAMES, -3);
        struct loaded first = load_tls_at(TLS, NULL, TLS_AT_START);
        struct loaded second = load_tls_at(TLS, &first, TLS_AT_RELOAD);
        cr_expect(second.contexts != NULL && second.complaints.warnings == 1);
        write_pair_until("a", "EC", NAMES, -2);
        struct loaded third = load_tls_at(TLS, &first, TLS_AT_RELOAD);
        cr_expect(third.contexts == NULL && third.complaints.errors == 1);
        loaded_free(&first);
        loaded_free(&second);
        loaded_free(&third);
}

Test(certificate, not_valid_yet)
{
        struct made made = make("EC", &(struct wanted){NAMES, "a", NULL, NULL, 3, 90, false});
        write_certificates("a.pem", 1, &made.certificate);
        write_key("a.key", made.key);
        check_days(TLS, TLS_AT_CHECK, "error", "is not valid before", 3);
        check_days(TLS, TLS_AT_START, "warning", "is not valid before", 3);
        made_free(&made);
}

/* ---- names --------------------------------------------------------------------------------------------- */

Test(certificate, name_of_another_is_a_warning)
{
        write_pair("a", "EC", "DNS:other.example");
        check_tls_at(
            TLS, TLS_AT_CHECK,
            "a.pem: warning: is not for our name, mx.isp.example: who checks names gives our mail back, or "
            "does not send it\n");
        write_pair("a", "EC", "DNS:*.isp.example");
        check_tls_at(TLS, TLS_AT_CHECK, "");
}

Test(certificate, common_name_is_no_name)
{
        struct made made = make("EC", &(struct wanted){NULL, "mx.isp.example", NULL, NULL, -1, 90, false});
        write_certificates("a.pem", 1, &made.certificate);
        write_key("a.key", made.key);
        check_tls_at(
            TLS, TLS_AT_CHECK,
            "a.pem: warning: is not for our name, mx.isp.example: who checks names gives our mail back, or "
            "does not send it\n");
        made_free(&made);
}

Test(certificate, of_a_domain_without_a_name)
{
        write_pair("a", "EC", NAMES);
        write_pair("b", "EC", NULL);
        check_tls_at(
            HOSTNAME
            "tls { certificate = {\"a.pem\"} key = {\"a.key\"} } domain \"isp.example\" { recipients = "
            "\"people\" deliver = \"discard:\" tls_certificate = {\"b.pem\"} tls_key = {\"b.key\"} }",
            TLS_AT_CHECK, "b.pem: warning: has no DNS name: no client can ask for it\n");
}

/* ---- chains -------------------------------------------------------------------------------------------- */

struct chain {
        struct made root, middle, leaf;
};

static struct chain make_chain(void)
{
        struct chain chain;
        chain.root = make("EC", &(struct wanted){NULL, "root", NULL, NULL, -1, 90, true});
        chain.middle = make(
            "EC", &(struct wanted){NULL, "middle", chain.root.certificate, chain.root.key, -1, 90, true});
        chain.leaf = make(
            "EC", &(struct wanted){NAMES, "leaf", chain.middle.certificate, chain.middle.key, -1, 90, false});
        write_key("a.key", chain.leaf.key);
        return chain;
}

static void chain_free(struct chain *chain)
{
        made_free(&chain->root);
        made_free(&chain->middle);
        made_free(&chain->leaf);
}

Test(certificate, whole_chain)
{
        struct chain chain = make_chain();
        X509 *all[] = {chain.leaf.certificate, chain.middle.certificate, chain.root.certificate};
        write_certificates("a.pem", 3, all);
        check_tls_at(TLS, TLS_AT_CHECK, "");
        chain_free(&chain);
}

Test(certificate, chain_without_what_leads_to_a_root)
{
        struct chain chain = make_chain();
        X509 *all[] = {chain.leaf.certificate, chain.middle.certificate};
        write_certificates("a.pem", 2, all);
        check_tls_at(
            TLS, TLS_AT_CHECK,
            "a.pem: warning: the chain ends before \"/CN=root\", which this machine does not know as a root: "
            "is an intermediate certificate missing?\n");
        write_certificates("a.pem", 1, all);
        check_tls_at(
            TLS, TLS_AT_CHECK,
            "a.pem: warning: the chain ends before \"/CN=middle\", which this machine does not know as a "
            "root: is an intermediate certificate missing?\n");
        chain_free(&chain);
}

Test(certificate, chain_with_a_root_that_the_machine_trusts)
{
        struct chain chain = make_chain();
        char name[64];

        snprintf(name, sizeof name, "%08lx.0",
                 X509_NAME_hash_ex(X509_get_subject_name(chain.root.certificate), NULL, NULL, NULL));
        write_certificates(name, 1, &chain.root.certificate);
        setenv("SSL_CERT_DIR", folder, 1);
        X509 *all[] = {chain.leaf.certificate, chain.middle.certificate};
        write_certificates("a.pem", 2, all);
        check_tls_at(TLS, TLS_AT_CHECK, "");
        chain_free(&chain);
}

Test(certificate, broken_chain)
{
        struct chain chain = make_chain();
        /* Of the same name, and with another key. */
        struct made other = make(
            "EC", &(struct wanted){NULL, "middle", chain.root.certificate, chain.root.key, -1, 90, true});
        X509 *wrong[] = {chain.leaf.certificate, other.certificate, chain.root.certificate};
        write_certificates("a.pem", 3, wrong);
        check_tls_at(
            TLS, TLS_AT_CHECK,
            "a.pem: error: the chain is broken: certificate 1 of the file is not signed by certificate 2\n");
        X509 *gap[] = {chain.leaf.certificate, chain.root.certificate};
        write_certificates("a.pem", 2, gap);
        check_tls_at(
            TLS, TLS_AT_CHECK,
            "a.pem: error: the chain is broken: certificate 1 of the file is not signed by certificate 2\n");
        made_free(&other);
        chain_free(&chain);
}
