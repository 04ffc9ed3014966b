/* Section tls: certificates and keys go in pairs, and values have their bounds. */
#include "tests/unit/conf/fixture.h"

TestSuite(tls, .init = folder_begin, .fini = folder_end);

#define TLS(more) HOSTNAME DOMAIN "tls { " more " }"
#define OF_DOMAIN(...)                                                                                       \
        "domain \"b.example\" { recipients = \"people\" deliver = \"discard:\" " __VA_ARGS__ " }"

Test(tls, pairs)
{
        check_complaints(TLS("certificate = {\"a.pem\"}"), "");
        check_complaints(TLS("certificate = {\"a.pem\", \"b.pem\"} key = {\"a.key\", \"b.key\"}"), "");
        check_complaints(TLS("key = {\"a.key\"}"), "(text):2: error: a key without a certificate\n");
        check_complaints(
            TLS("certificate = {\"/a.pem\", \"/b.pem\"} key = {\"/a.key\"}"),
            "(text):2: error: 2 certificates, but 1 key: there is none for /b.pem; each certificate has "
            "its key at the same place\n");
        check_complaints(
            TLS("certificate = {\"/a.pem\"} key = {\"/a.key\", \"/b.key\"}"),
            "(text):2: error: 1 certificate, but 2 keys: there is none for /b.key; each certificate "
            "has its key at the same place\n");
        check_complaints(TLS("certificate = {\"1\", \"2\", \"3\", \"4\", \"5\"}"),
                         "(text):2: error: certificate: one for each kind of key is enough, 4 at most\n");
}

Test(tls, of_a_domain)
{
        check_complaints(TLS("certificate = {\"a.pem\"}") OF_DOMAIN("tls_certificate = {\"b.pem\"}"), "");
        check_complaints(
            HOSTNAME DOMAIN OF_DOMAIN("tls_certificate = {\"b.pem\"}"),
            "(text):2: error: tls_certificate: needs the certificate of section tls beside it, for "
            "clients that ask for no name of this one\n");
        check_complaints(TLS("certificate = {\"a.pem\"}") OF_DOMAIN("tls_key = {\"b.key\"}"),
                         "(text):2: error: a key without a certificate\n");
}

Test(tls, values)
{
        check_complaints(TLS("minimum = 1.4"),
                         "(text):2: error: minimum = \"1.4\": must be 1.0, 1.1, 1.2 or 1.3\n");
        check_complaints(TLS("client_certificates = yes"),
                         "(text):2: error: client_certificates = \"yes\": must be no or ask\n");
        check_complaints(TLS("ticket_lifetime = 8d"),
                         "(text):2: error: ticket_lifetime = \"8d\": must be from 1s to 7d\n");
        check_complaints(TLS("certificate = {\"\"}"),
                         "(text):2: error: certificate = \"\": needs names of files\n");
        check_complaints(HOSTNAME DOMAIN "minimum = 1.2\n",
                         "(text):2: error: unknown key \"minimum\"; it stands in section tls\n");
        check_complaints(
            HOSTNAME DOMAIN "tls = yes\n",
            "(text):2: error: tls is a section; write tls { certificate = {\"FILE\"} key = {\"FILE\"} }\n");
}

Test(tls, paths_begin_at_the_file)
{
        struct snapshot *snapshot = load(TLS("certificate = {\"a.pem\", \"/b.pem\"} ticket_keys = \"t\""));
        char path[256];

        cr_expect(snapshot_has_tls(snapshot));
        snprintf(path, sizeof path, "%s/a.pem", folder);
        cr_expect_str_eq(snapshot->options.tls_certificate.texts[0], path);
        cr_expect_str_eq(snapshot->options.tls_certificate.texts[1], "/b.pem");
        snprintf(path, sizeof path, "%s/t", folder);
        cr_expect_str_eq(snapshot->options.tls_ticket_keys, path);
        snapshot_free(snapshot);
        snapshot = load(HOSTNAME DOMAIN);
        cr_expect_not(snapshot_has_tls(snapshot));
        snapshot_free(snapshot);
}
