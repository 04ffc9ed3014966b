/* Each link of a chain must be signed by the next. The root may be absent, because clients have it; whether what the
 * chain ends with is signed by a root can only be guessed, by the roots that this machine trusts. */
#include "workers/tls/verify.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#define NAME_SIZE 200 /* of a subject that is shown */

static void complain(struct conf_complaints *complaints, enum complaint_kind kind,
                     const struct tls_certificate *certificate, const char *text)
{
        conf_complain(complaints, kind, &(struct place){certificate->path, 0}, "%s", text);
}

/* ---- chain --------------------------------------------------------------------------------------------- */

static bool is_signed_by(X509 *certificate, X509 *issuer)
{
        return X509_check_issued(issuer, certificate) == X509_V_OK &&
               X509_verify(certificate, X509_get0_pubkey(issuer)) == 1;
}

/* A store of the machine's roots, looked up by their names' digests. NULL when memory is out. */
static X509_STORE *roots_open(void)
{
        X509_STORE *roots = X509_STORE_new();
        X509_LOOKUP *folder = roots == NULL ? NULL : X509_STORE_add_lookup(roots, X509_LOOKUP_hash_dir());

        if (folder != NULL)
                X509_LOOKUP_add_dir(folder, NULL, X509_FILETYPE_DEFAULT);
        return roots;
}

/* True also when that cannot be found out. */
static bool is_signed_by_root(X509 *certificate)
{
        X509_STORE *roots = roots_open();
        X509_STORE_CTX *look = X509_STORE_CTX_new();
        X509 *issuer = NULL;
        bool is_signed = true;

        if (roots != NULL && look != NULL && X509_STORE_CTX_init(look, roots, certificate, NULL) == 1)
                is_signed = X509_STORE_CTX_get1_issuer(&issuer, look, certificate) == 1;
        X509_free(issuer);
        X509_STORE_CTX_free(look);
        X509_STORE_free(roots);
        return is_signed;
}

static void warn_of_missing_issuer(const struct tls_certificate *certificate, X509 *last,
                                   struct conf_complaints *complaints)
{
        char name[NAME_SIZE];

        X509_NAME_oneline(X509_get_issuer_name(last), name, sizeof name);
        conf_complain(complaints, COMPLAINT_WARNING, &(struct place){certificate->path, 0},
                      "the chain ends before \"%s\", which this machine does not know as a root: is an "
                      "intermediate certificate missing?",
                      name);
}

void tls_verify_links(const struct tls_certificate *certificate, struct conf_complaints *complaints)
{
        X509 *last = certificate->leaf;

        for (int i = 0; i < sk_X509_num(certificate->chain); i++) {
                X509 *next = sk_X509_value(certificate->chain, i);
                if (!is_signed_by(last, next)) {
                        conf_complain(complaints, COMPLAINT_ERROR, &(struct place){certificate->path, 0},
                                      "the chain is broken: certificate %d of the file is not signed by "
                                      "certificate %d",
                                      i + 1, i + 2);
                        ERR_clear_error();
                        return;
                }
                last = next;
        }
}

void tls_verify_root(const struct tls_certificate *certificate, struct conf_complaints *complaints)
{
        int count = sk_X509_num(certificate->chain);
        X509 *last = count == 0 ? certificate->leaf : sk_X509_value(certificate->chain, count - 1);

        if (X509_check_issued(last, last) != X509_V_OK && !is_signed_by_root(last))
                warn_of_missing_issuer(certificate, last, complaints);
        ERR_clear_error();
}

/* ---- times --------------------------------------------------------------------------------------------- */

static void put_date(char *text, size_t size, time_t time)
{
        struct tm fields;
        strftime(text, size, "%Y-%m-%d", gmtime_r(&time, &fields));
}

void tls_verify_times(const struct tls_certificate *certificate, time_t now, bool is_tolerated,
                      struct conf_complaints *complaints)
{
        enum complaint_kind kind = is_tolerated ? COMPLAINT_WARNING : COMPLAINT_ERROR;
        char text[80], date[16];
        unsigned days = tls_certificate_days_left(certificate, now);

        if (certificate->begins > now) {
                put_date(date, sizeof date, certificate->begins);
                snprintf(text, sizeof text, "is not valid before %s", date);
        } else if (certificate->ends <= now) {
                put_date(date, sizeof date, certificate->ends);
                snprintf(text, sizeof text, "has expired on %s", date);
        } else if (days < TLS_WARNING_DAYS) {
                kind = COMPLAINT_WARNING;
                snprintf(text, sizeof text, "expires in %u day%s", days, days == 1 ? "" : "s");
        } else {
                return;
        }
        complain(complaints, kind, certificate, text);
}

/* ---- names --------------------------------------------------------------------------------------------- */

void tls_verify_name(const struct tls_certificate *certificate, const char *name,
                     struct conf_complaints *complaints)
{
        /* Its DNS names alone count: RFC 8461 4.1 and others do not look at the common name. */
        if (X509_check_host(certificate->leaf, name, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1)
                return;
        conf_complain(complaints, COMPLAINT_WARNING, &(struct place){certificate->path, 0},
                      "is not for our name, %s: who checks names gives our mail back, or does not send it",
                      name);
}
