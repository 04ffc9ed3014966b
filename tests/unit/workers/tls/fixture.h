/* For the tests of workers/tls/: certificates of all kinds, made when they are needed, and a client. */
#pragma once

#include "tests/unit/conf/fixture.h"
#include "workers/tls/context.h"
#include "workers/tls/tickets.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <urcu/urcu-memb.h>

#define DAY_S 86400

/* What a certificate shall be like. */
struct wanted {
        const char *names; /* "DNS:a.example,DNS:b.example"; NULL: none */
        const char *subject;
        X509 *issuer; /* NULL: it signs itself */
        EVP_PKEY *issuer_key;
        long begins_days, ends_days; /* from now */
        bool is_authority;
};

struct made {
        X509 *certificate;
        EVP_PKEY *key;
};

static inline EVP_PKEY *new_key(const char *kind)
{
        EVP_PKEY *key = strcmp(kind, "EC") == 0    ? EVP_EC_gen("P-256")
                        : strcmp(kind, "RSA") == 0 ? EVP_RSA_gen(2048)
                                                   : EVP_RSA_gen(1024);
        cr_assert(key != NULL);
        return key;
}

static inline void add_extension(X509 *certificate, int name, const char *value)
{
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, name, value);
        cr_assert(extension != NULL, "%s", value);
        X509_add_ext(certificate, extension, -1);
        X509_EXTENSION_free(extension);
}

static inline struct made make(const char *kind, const struct wanted *wanted)
{
        static long serial = 1;
        struct made made = {X509_new(), new_key(kind)};
        X509_NAME *subject = X509_get_subject_name(made.certificate);

        X509_set_version(made.certificate, X509_VERSION_3);
        ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), serial++);
        X509_gmtime_adj(X509_getm_notBefore(made.certificate), wanted->begins_days * DAY_S);
        /* Half an hour more, so that the days are whole while a test runs. */
        X509_gmtime_adj(X509_getm_notAfter(made.certificate), wanted->ends_days * DAY_S + 1800);
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)wanted->subject, -1,
                                   -1, 0);
        X509_set_issuer_name(made.certificate,
                             wanted->issuer == NULL ? subject : X509_get_subject_name(wanted->issuer));
        X509_set_pubkey(made.certificate, made.key);
        if (wanted->is_authority)
                add_extension(made.certificate, NID_basic_constraints, "critical,CA:TRUE");
        if (wanted->names != NULL)
                add_extension(made.certificate, NID_subject_alt_name, wanted->names);
        cr_assert(X509_sign(made.certificate, wanted->issuer == NULL ? made.key : wanted->issuer_key,
                            EVP_sha256()) > 0);
        return made;
}

static inline void made_free(struct made *made)
{
        X509_free(made->certificate);
        EVP_PKEY_free(made->key);
}

static inline const char *path_of(const char *name)
{
        static char paths[4][512];
        static unsigned next;
        char *path = paths[next++ % 4];
        snprintf(path, sizeof paths[0], "%s/%s", folder, name);
        return path;
}

static inline FILE *open_file(const char *name, const char *mode)
{
        FILE *file = fopen(path_of(name), mode);
        cr_assert(file != NULL);
        return file;
}

/* A file of so many certificates, in this order. */
static inline void write_certificates(const char *name, size_t count, X509 *const *certificates)
{
        FILE *file = open_file(name, "w");
        for (size_t i = 0; i < count; i++)
                PEM_write_X509(file, certificates[i]);
        fclose(file);
}

static inline void write_key(const char *name, EVP_PKEY *key)
{
        FILE *file = open_file(name, "w");
        PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
        fclose(file);
        chmod(path_of(name), 0600);
}

/* NAME.pem and NAME.key, signed by itself. */
static inline void write_pair_until(const char *name, const char *kind, const char *names, long ends_days)
{
        struct made made = make(
            kind,
            &(struct wanted){.names = names, .subject = name, .begins_days = -1, .ends_days = ends_days});
        char file[128];

        snprintf(file, sizeof file, "%s.pem", name);
        write_certificates(file, 1, &made.certificate);
        snprintf(file, sizeof file, "%s.key", name);
        write_key(file, made.key);
        made_free(&made);
}

static inline void write_pair(const char *name, const char *kind, const char *names)
{
        write_pair_until(name, kind, names, 90);
}

/* ---- contexts ------------------------------------------------------------------------------------------ */

static struct tls_tickets tickets;

static inline void tls_begin(void)
{
        urcu_memb_register_thread();
        folder_begin();
        cr_assert(tls_tickets_init(&tickets));
}

static inline void tls_end(void)
{
        tls_tickets_end(&tickets);
        folder_end();
        urcu_memb_unregister_thread();
}

/* What came of a text: the contexts, which may be NULL, with their snapshot, and what was said. */
struct loaded {
        struct snapshot *snapshot;
        struct tls_contexts *contexts;
        struct conf_complaints complaints;
};

static inline struct loaded load_tls_at(const char *text, const struct loaded *before, enum tls_moment moment)
{
        struct loaded loaded = {.snapshot = load(text)};
        loaded.contexts = tls_contexts_load(loaded.snapshot, before == NULL ? NULL : before->contexts,
                                            &tickets, moment, &loaded.complaints);
        if (loaded.contexts != NULL)
                tls_contexts_use_tickets(loaded.contexts);
        return loaded;
}

/* A text that is good. */
static inline struct loaded load_tls(const char *text)
{
        struct loaded loaded = load_tls_at(text, NULL, TLS_AT_START);
        cr_assert(loaded.contexts != NULL, "%s", loaded.complaints.text);
        return loaded;
}

static inline void loaded_free(struct loaded *loaded)
{
        tls_contexts_free(loaded->contexts);
        snapshot_free(loaded->snapshot);
        conf_complaints_end(&loaded->complaints);
}

/* The text has exactly these complaints, "FOLDER/" left out, and contexts unless there is an error. */
static inline void check_tls_at(const char *text, enum tls_moment moment, const char *expected)
{
        struct loaded loaded = load_tls_at(text, NULL, moment);
        char said[4096] = "";
        const char *at = loaded.complaints.text == NULL ? "" : loaded.complaints.text;
        size_t length = strlen(folder) + 1, used = 0;

        while (*at != '\0' && used < sizeof said - 1) {
                if (strncmp(at, folder, length - 1) == 0)
                        at += length;
                else
                        said[used++] = *at++;
        }
        cr_expect_str_eq(said, expected, "said: %s", said);
        cr_expect_eq(loaded.contexts != NULL, loaded.complaints.errors == 0);
        loaded_free(&loaded);
}

/* ---- client -------------------------------------------------------------------------------------------- */

/* What a client saw. */
struct seen {
        bool is_connected, is_resumed;
        int version;
        char name[128]; /* common name of the certificate */
        char cipher[64];
};

struct wish {
        const char *server_name;
        int version;               /* 0: any */
        const char *ciphers;       /* of TLS 1.2; NULL: any */
        SSL_SESSION *session;      /* to resume; NULL: none */
        SSL_SESSION **ret_session; /* where the new one goes; NULL: nowhere */
};

static SSL_SESSION *newest_session;

static inline int keep_session(SSL *ssl, SSL_SESSION *session)
{
        (void)ssl;
        SSL_SESSION_free(newest_session);
        newest_session = session;
        return 1;
}

static inline SSL *new_client(SSL_CTX *context, const struct wish *wish)
{
        /* What a context keeps itself ends with it. */
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(context, keep_session);
        SSL_CTX_set_security_level(context, 0);
        SSL_CTX_set_min_proto_version(context, wish->version == 0 ? TLS1_VERSION : wish->version);
        SSL_CTX_set_max_proto_version(context, wish->version);
        if (wish->ciphers != NULL)
                SSL_CTX_set_cipher_list(context, wish->ciphers);
        SSL *client = SSL_new(context);
        SSL_set_connect_state(client);
        if (wish->server_name != NULL)
                SSL_set_tlsext_host_name(client, wish->server_name);
        if (wish->session != NULL)
                SSL_set_session(client, wish->session);
        return client;
}

static inline void look(SSL *client, struct seen *seen)
{
        X509 *certificate = SSL_get1_peer_certificate(client);

        seen->version = SSL_version(client);
        seen->is_resumed = SSL_session_reused(client) == 1;
        snprintf(seen->cipher, sizeof seen->cipher, "%s", SSL_get_cipher_name(client));
        if (certificate != NULL)
                X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, seen->name,
                                          sizeof seen->name);
        X509_free(certificate);
}

/* Both sides shake hands in this thread, and the client reads what comes behind, such as a ticket. */
static inline struct seen connect_to(const struct tls_contexts *contexts, const struct wish *wish)
{
        SSL_CTX *context = SSL_CTX_new(TLS_client_method());
        SSL *server = tls_contexts_new_ssl(contexts), *client = new_client(context, wish);
        struct seen seen = {0};
        BIO *left, *right;
        char octet;

        newest_session = NULL;
        BIO_new_bio_pair(&left, 0, &right, 0);
        SSL_set_bio(client, left, left);
        SSL_set_bio(server, right, right);
        for (int i = 0; i < 20; i++) {
                SSL_do_handshake(client);
                SSL_accept(server);
        }
        seen.is_connected = SSL_is_init_finished(client) && SSL_is_init_finished(server);
        if (seen.is_connected) {
                SSL_read(client, &octet, 1);
                /* No callback tells of a ticket that TLS 1.2 has renewed. */
                if (SSL_version(client) == TLS1_2_VERSION)
                        keep_session(client, SSL_get1_session(client));
                look(client, &seen);
        }
        if (wish->ret_session != NULL)
                *wish->ret_session = newest_session;
        else
                SSL_SESSION_free(newest_session);
        /* Else its session counts as a bad one. */
        SSL_set_shutdown(client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(client);
        SSL_free(server);
        SSL_CTX_free(context);
        return seen;
}
