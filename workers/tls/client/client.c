/* A next hop's certificate is verified by the certificates of one file, which the system or its operator keeps, and by
 * the name or the address that the configuration has for the hop. */
#include "workers/tls/client/client.h"

#include "conf/value/next_hop.h"
#include "workers/tls/identity.h"
#include "workers/tls/reasons.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#define OPEN_FAILURE "TLS as a client: OpenSSL has no memory, or lacks what TLS needs"

/* ---- what is wanted ------------------------------------------------------------------------------------ */

static enum hop_starttls stricter(enum hop_starttls left, enum hop_starttls right)
{
        return left > right ? left : right;
}

static enum hop_starttls wanted_of(const struct deliver_target *deliver, enum hop_starttls usual)
{
        enum hop_starttls most = HOP_STARTTLS_NONE;

        for (size_t i = 0; deliver->kind == DELIVER_HOPS && i < deliver->hops->count; i++)
                most = stricter(most, next_hop_starttls(&deliver->hops->hops[i], usual));
        return most;
}

/* The strictest that holds for any next hop. */
static enum hop_starttls most_wanted(const struct snapshot *snapshot)
{
        enum hop_starttls most = HOP_STARTTLS_NONE;
        const struct deliver_target *deliver;

        for (size_t i = 0; i < snapshot->domain_count; i++)
                for (size_t j = 0; (deliver = domain_deliver_at(&snapshot->domains[i], j)) != NULL; j++)
                        most = stricter(most, wanted_of(deliver, snapshot->options.next_hops_tls));
        return most;
}

/* ---- files --------------------------------------------------------------------------------------------- */

/* Without it nothing is verified, which only those that must be miss. False with a complaint. */
static bool load_authorities(SSL_CTX *context, const char *path, bool is_needed,
                             struct conf_complaints *complaints)
{
        struct secret_file file;
        const char *fault = secret_file_open(&file, path, false);

        secret_file_close(&file);
        ERR_clear_error();
        if (fault == NULL && SSL_CTX_load_verify_file(context, path) != 1)
                fault = "holds no certificates in PEM";
        ERR_clear_error();
        if (fault != NULL)
                conf_complain(complaints, is_needed ? COMPLAINT_ERROR : COMPLAINT_WARNING,
                              &(struct place){path, 0}, "%s%s", fault,
                              is_needed ? "" : ": no next hop's certificate can be verified");
        return fault == NULL || !is_needed;
}

static bool show_ours(SSL_CTX *context, const struct options *options, struct conf_complaints *complaints)
{
        const char *path = options->next_hops_tls_certificate, *key = options->next_hops_tls_key;

        if (path[0] == '\0')
                return true;
        struct tls_certificate *certificate =
            tls_certificate_read(path, key[0] == '\0' ? path : key, complaints);
        if (certificate == NULL)
                return false;
        bool is_shown = tls_identity_show(context, certificate, complaints);
        tls_certificate_release(certificate);
        return is_shown;
}

/* ---- sessions ------------------------------------------------------------------------------------------ */

void tls_resumption_forget(struct tls_resumption *resumption)
{
        SSL_SESSION_free(resumption->session);
        SSL_CTX_free(resumption->context);
        *resumption = (struct tls_resumption){0};
}

/* The peer has given one, by a ticket or at the end of a handshake. Returns 1 where it is kept. */
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
        struct tls_resumption *resumption = SSL_get_app_data(ssl);
        SSL_CTX *context = SSL_get_SSL_CTX(ssl);

        if (resumption == NULL)
                return 0;
        tls_resumption_forget(resumption);
        SSL_CTX_up_ref(context);
        *resumption = (struct tls_resumption){session, context};
        return 1;
}

/* Whoever was verified by other certificates is to be verified anew. */
static void resume(SSL *ssl, struct tls_resumption *resumption)
{
        if (resumption->session != NULL && resumption->context != SSL_get_SSL_CTX(ssl))
                tls_resumption_forget(resumption);
        if (resumption->session != NULL)
                SSL_set_session(ssl, resumption->session);
}

/* ---- contexts ------------------------------------------------------------------------------------------ */

static bool set_all(SSL_CTX *context, enum tls_version minimum)
{
        X509_VERIFY_PARAM *verification = SSL_CTX_get0_param(context);

        /* Whatever stands in the file is trusted, also a certificate that has not signed itself. */
        X509_VERIFY_PARAM_set_flags(verification, X509_V_FLAG_PARTIAL_CHAIN);
        /* As for mail to us, its DNS names alone count (RFC 6125 6.4). */
        X509_VERIFY_PARAM_set_hostflags(verification, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                                          X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(context, keep_session);
        return tls_identity_set_terms(context, minimum);
}

/* NULL with a complaint. */
static SSL_CTX *context_new(enum tls_version minimum, struct conf_complaints *complaints)
{
        SSL_CTX *context = SSL_CTX_new(TLS_client_method());

        if (context != NULL && set_all(context, minimum))
                return context;
        conf_complain(complaints, COMPLAINT_ERROR, &(struct place){NULL, 0}, "%s", OPEN_FAILURE);
        SSL_CTX_free(context);
        return NULL;
}

SSL_CTX *tls_client_open_for(const char *authorities, struct conf_complaints *complaints)
{
        SSL_CTX *context = context_new(TLS_1_2, complaints);

        if (context != NULL && load_authorities(context, authorities, true, complaints))
                return context;
        SSL_CTX_free(context);
        ERR_clear_error();
        return NULL;
}

SSL_CTX *tls_client_open(const struct snapshot *snapshot, struct conf_complaints *complaints)
{
        const struct options *options = &snapshot->options;
        enum hop_starttls wanted = most_wanted(snapshot);

        if (wanted == HOP_STARTTLS_NONE)
                return NULL;
        SSL_CTX *context = context_new(options->next_hops_tls_minimum, complaints);
        if (context != NULL &&
            load_authorities(context, options->next_hops_tls_ca, wanted == HOP_STARTTLS_MUST, complaints) &&
            show_ours(context, options, complaints))
                return context;
        SSL_CTX_free(context);
        ERR_clear_error();
        return NULL;
}

static bool set_peer(SSL *ssl, const struct tls_client_wish *wish)
{
        const struct address *address = wish->address;

        if (wish->name != NULL)
                return SSL_set_tlsext_host_name(ssl, wish->name) == 1 && SSL_set1_host(ssl, wish->name) == 1;
        size_t skipped = address_is_ipv4(address) ? sizeof address->octets - 4 : 0;
        return X509_VERIFY_PARAM_set1_ip(SSL_get0_param(ssl), address->octets + skipped,
                                         sizeof address->octets - skipped) == 1;
}

SSL *tls_client_new_ssl(SSL_CTX *context, const struct tls_client_wish *wish)
{
        SSL *ssl = SSL_new(context);

        /* Where its data has no memory a session that comes would not know whose it is. */
        if (ssl == NULL || !set_peer(ssl, wish) || SSL_set_app_data(ssl, wish->resumption) != 1) {
                SSL_free(ssl);
                ERR_clear_error();
                return NULL;
        }
        /* In both cases it is verified; NONE goes on whatever comes of that. */
        SSL_set_verify(ssl, wish->is_demanded ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
        if (wish->resumption != NULL)
                resume(ssl, wish->resumption);
        return ssl;
}

/* ---- what came of it ----------------------------------------------------------------------------------- */

const char *tls_client_fault(const SSL *ssl)
{
        long result = SSL_get_verify_result(ssl);
        return result == X509_V_OK ? NULL : tls_verification_reason(result);
}
