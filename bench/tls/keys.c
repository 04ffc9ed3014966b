/* Two self-signed certificates, for the name that all servers of the bench have. */
#include "bench/tls/keys.h"

#include "bench/common.h"

#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#define NAME       "mx1.isp.example"
#define RSA_BITS   2048
#define LIFETIME_S (30L * 86400)
#define MARGIN_S   86400L /* the clocks of two processes may differ */

struct pair {
        EVP_PKEY *key;
        X509 *certificate;
};

static void add_names(X509 *certificate)
{
        X509_NAME *name = X509_get_subject_name(certificate);
        X509_EXTENSION *others = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:" NAME);

        expect(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)NAME, -1, -1, 0) ==
               1);
        expect(X509_set_issuer_name(certificate, name) == 1);
        expect(others != NULL && X509_add_ext(certificate, others, -1) == 1);
        X509_EXTENSION_free(others);
}

static struct pair pair_make(EVP_PKEY *key, long serial)
{
        X509 *certificate = X509_new();

        expect(key != NULL && certificate != NULL);
        expect(X509_set_version(certificate, X509_VERSION_3) == 1);
        expect(ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial) == 1);
        expect(X509_gmtime_adj(X509_getm_notBefore(certificate), -MARGIN_S) != NULL);
        expect(X509_gmtime_adj(X509_getm_notAfter(certificate), LIFETIME_S) != NULL);
        expect(X509_set_pubkey(certificate, key) == 1);
        add_names(certificate);
        expect(X509_sign(certificate, key, EVP_sha256()) > 0);
        return (struct pair){key, certificate};
}

static void pair_write(const struct pair *pair, const char *folder, const char *name)
{
        char path[600];

        snprintf(path, sizeof path, "%s/%s", folder, name);
        int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "w");
        if (file == NULL || PEM_write_PrivateKey(file, pair->key, NULL, NULL, 0, NULL, NULL) != 1 ||
            PEM_write_X509(file, pair->certificate) != 1 || fclose(file) != 0)
                bench_fail("cannot write %s", path);
}

void keys_write(const char *folder)
{
        static struct pair ecdsa, rsa;

        if (ecdsa.key == NULL) {
                ecdsa = pair_make(EVP_EC_gen("P-256"), 1);
                rsa = pair_make(EVP_RSA_gen(RSA_BITS), 2);
        }
        pair_write(&ecdsa, folder, "ecdsa.pem");
        pair_write(&rsa, folder, "rsa.pem");
}
