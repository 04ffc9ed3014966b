/* From a snapshot to contexts. Whatever has not changed is taken over from the contexts before: parsing a thousand keys
 * takes more than a second. */
#include "workers/tls/context.h"

#include "workers/tls/identity.h"
#include "workers/tls/names.h"
#include "workers/tls/tickets.h"
#include "workers/tls/verify.h"

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdlib.h>

#define SERVER_NAME_DEFAULT 0 /* the identity of section tls */

struct tls_contexts {
        struct tls_settings settings;
        struct tls_identity *identities; /* the first one is the default */
        size_t identity_count;
        struct tls_certificate **certificates; /* a reference to each */
        size_t certificate_count;
        struct name_table files; /* "CERTIFICATE\nKEY": index into certificates */
        struct tls_names names;  /* index into identities */
        struct tls_tickets *tickets;
        struct ticket_secrets secrets;
};

struct loader {
        const struct snapshot *snapshot;
        const struct tls_contexts *before;
        struct tls_contexts *contexts;
        enum tls_moment moment;
        time_t now;
        struct conf_complaints *complaints;
};

/* ---- callbacks ----------------------------------------------------------------------------------------- */

static int contexts_index; /* where an SSL keeps its contexts */

static void take_index(void)
{
        contexts_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

/* A name that nobody has is not refused: who asks for it sees the default, and may take it. */
static int serve_name(SSL *ssl, int *alert, void *argument)
{
        const struct tls_contexts *contexts = SSL_get_ex_data(ssl, contexts_index);
        const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
        uint32_t number;

        (void)alert;
        (void)argument;
        if (name == NULL || !tls_names_find(&contexts->names, span_from(name), &number))
                return SSL_TLSEXT_ERR_NOACK;
        if (number != SERVER_NAME_DEFAULT &&
            SSL_set_SSL_CTX(ssl, contexts->identities[number].context) == NULL)
                return SSL_TLSEXT_ERR_NOACK;
        return SSL_TLSEXT_ERR_OK;
}

static int crypt_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                        EVP_MAC_CTX *mac, int is_new)
{
        const struct tls_contexts *contexts = SSL_get_ex_data(ssl, contexts_index);
        return tls_tickets_crypt(contexts->tickets, ssl, name, iv, cipher, mac, is_new == 1);
}

static const struct tls_callbacks callbacks = {serve_name, crypt_ticket};

/* ---- certificates -------------------------------------------------------------------------------------- */

static void complain_of_memory(const struct loader *loader)
{
        conf_complain(loader->complaints, COMPLAINT_ERROR, &(struct place){NULL, 0}, "tls: out of memory");
}

/* NULL when the files are new, or have changed. Complains when they cannot be opened. */
static struct tls_certificate *take_over(const struct loader *loader, struct span files)
{
        uint32_t index;

        if (loader->before == NULL || !name_table_find(&loader->before->files, files, &index))
                return NULL;
        struct tls_certificate *certificate = loader->before->certificates[index];
        if (!tls_certificate_is_current(certificate, loader->complaints))
                return NULL;
        tls_certificate_hold(certificate);
        return certificate;
}

static bool keep(struct loader *loader, struct tls_certificate *certificate, struct span files)
{
        struct tls_contexts *contexts = loader->contexts;
        struct tls_certificate **grown = reallocarray(contexts->certificates, contexts->certificate_count + 1,
                                                      sizeof(struct tls_certificate *));

        if (grown != NULL) {
                contexts->certificates = grown;
                if (name_table_add(&contexts->files, files, (uint32_t)contexts->certificate_count)) {
                        grown[contexts->certificate_count++] = certificate;
                        return true;
                }
        }
        complain_of_memory(loader);
        tls_certificate_release(certificate);
        return false;
}

/* NULL with complaints. */
static struct tls_certificate *load(struct loader *loader, const char *path, const char *key_path,
                                    struct span files)
{
        unsigned errors = loader->complaints->errors;
        struct tls_certificate *certificate = take_over(loader, files);
        bool is_known = certificate != NULL, is_start = loader->moment == TLS_AT_START;

        if (loader->complaints->errors == errors && !is_known) {
                certificate = tls_certificate_read(path, key_path, loader->complaints);
                if (certificate != NULL)
                        tls_verify_links(certificate, loader->complaints);
        }
        if (certificate == NULL || !keep(loader, certificate, files))
                return NULL;
        if (loader->complaints->errors == errors)
                tls_verify_root(certificate, loader->complaints);
        tls_verify_times(certificate, loader->now, is_start || (is_known && loader->moment == TLS_AT_RELOAD),
                         loader->complaints);
        return certificate;
}

/* The certificate of these files, each of which is read once only. NULL with complaints. */
static struct tls_certificate *certificate_of(struct loader *loader, const char *path, const char *key_path)
{
        char files[2 * 4096 + 2];
        struct text text;
        uint32_t index;

        text_over(&text, files, sizeof files);
        text_printf(&text, "%s\n%s", path, key_path);
        if (name_table_find(&loader->contexts->files, text_span(&text), &index))
                return loader->contexts->certificates[index];
        return load(loader, path, key_path, text_span(&text));
}

/* ---- identities ---------------------------------------------------------------------------------------- */

static const struct tls_identity *find_equal(const struct tls_contexts *contexts,
                                             const struct tls_identity *identity)
{
        for (size_t i = 0; contexts != NULL && i < contexts->identity_count; i++)
                if (tls_identity_equals(&contexts->identities[i], identity))
                        return &contexts->identities[i];
        return NULL;
}

/* False with a complaint. */
static bool open_context(struct loader *loader, struct tls_identity *identity)
{
        struct tls_contexts *contexts = loader->contexts;
        const struct tls_identity *former = NULL;

        if (loader->before != NULL && tls_settings_equal(&loader->before->settings, &contexts->settings))
                former = find_equal(loader->before, identity);
        if (former == NULL)
                return tls_identity_open(identity, &contexts->settings, &callbacks, loader->complaints);
        SSL_CTX_up_ref(former->context);
        identity->context = former->context;
        return true;
}

static void add_names(const struct loader *loader, const struct tls_identity *identity, uint32_t number)
{
        for (size_t i = 0; i < identity->count; i++) {
                const struct tls_certificate *certificate = identity->certificates[i];
                for (size_t j = 0; j < certificate->name_count; j++)
                        if (!tls_names_add(&loader->contexts->names, certificate->names[j], number)) {
                                complain_of_memory(loader);
                                return;
                        }
        }
}

/* Of the certificate in this place, be it in a file of its own or not. */
static const char *key_path_of(const struct text_list *certificates, const struct text_list *keys,
                               size_t place)
{
        return keys->count == 0 ? certificates->texts[place] : keys->texts[place];
}

/* Makes an identity of these files, unless there is one, with room for it. False with complaints. */
static bool add_identity(struct loader *loader, const struct text_list *certificates,
                         const struct text_list *keys)
{
        struct tls_contexts *contexts = loader->contexts;
        struct tls_identity *identity = &contexts->identities[contexts->identity_count];
        bool is_whole = true;

        for (size_t i = 0; i < certificates->count && i < TLS_KINDS_MAX; i++) {
                identity->certificates[identity->count] =
                    certificate_of(loader, certificates->texts[i], key_path_of(certificates, keys, i));
                if (identity->certificates[identity->count] == NULL)
                        is_whole = false;
                else
                        identity->count++;
        }
        if (is_whole && find_equal(contexts, identity) == NULL && open_context(loader, identity))
                add_names(loader, identity, (uint32_t)contexts->identity_count++);
        else
                *identity = (struct tls_identity){0};
        return is_whole;
}

static void add_default(struct loader *loader)
{
        const struct options *options = &loader->snapshot->options;

        if (!add_identity(loader, &options->tls_certificate, &options->tls_key) ||
            loader->contexts->identity_count == 0)
                return;
        const struct tls_identity *identity = &loader->contexts->identities[SERVER_NAME_DEFAULT];
        for (size_t i = 0; i < identity->count; i++)
                tls_verify_name(identity->certificates[i], options->hostname, loader->complaints);
}

static void add_domain(struct loader *loader, const struct domain *domain)
{
        const struct text_list *certificates = &domain->options.tls_certificate,
                               *keys = &domain->options.tls_key;

        if (!add_identity(loader, certificates, keys))
                return;
        for (size_t i = 0; i < certificates->count; i++) {
                const char *path = certificates->texts[i];
                if (certificate_of(loader, path, key_path_of(certificates, keys, i))->name_count == 0)
                        conf_complain(loader->complaints, COMPLAINT_WARNING, &(struct place){path, 0},
                                      "has no DNS name: no client can ask for it");
        }
}

/* ---- all ----------------------------------------------------------------------------------------------- */

static void read_secrets(struct loader *loader)
{
        const char *path = loader->snapshot->options.tls_ticket_keys;

        if (loader->snapshot->options.tls_tickets && path[0] != '\0')
                ticket_secrets_read(path, &loader->contexts->secrets, loader->complaints);
}

static struct tls_contexts *contexts_new(const struct snapshot *snapshot, struct tls_tickets *tickets)
{
        const struct options *options = &snapshot->options;
        struct tls_contexts *contexts = calloc(1, sizeof *contexts);

        if (contexts == NULL)
                return NULL;
        contexts->tickets = tickets;
        contexts->settings = (struct tls_settings){
            .minimum = options->tls_minimum,
            .asks_clients = options->tls_client_certificates == CERTIFICATE_WANTED,
            .has_tickets = options->tls_tickets && tickets != NULL,
            .ticket_lifetime_s = options->tls_ticket_lifetime_ms / 1000,
        };
        contexts->identities = calloc(snapshot->domain_count + 1, sizeof contexts->identities[0]);
        if (contexts->identities != NULL)
                return contexts;
        free(contexts);
        return NULL;
}

static void load_all(struct loader *loader)
{
        read_secrets(loader);
        add_default(loader);
        for (size_t i = 0; i < loader->snapshot->domain_count; i++)
                if (loader->snapshot->domains[i].options.tls_certificate.count > 0)
                        add_domain(loader, &loader->snapshot->domains[i]);
}

struct tls_contexts *tls_contexts_load(const struct snapshot *snapshot, const struct tls_contexts *before,
                                       struct tls_tickets *tickets, enum tls_moment moment,
                                       struct conf_complaints *complaints)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        struct loader loader = {
            .snapshot = snapshot,
            .before = before,
            .moment = moment,
            .now = time(NULL),
            .complaints = complaints,
        };
        unsigned errors = complaints->errors;

        if (!snapshot_has_tls(snapshot))
                return NULL;
        pthread_once(&once, take_index);
        loader.contexts = contexts_new(snapshot, tickets);
        if (loader.contexts == NULL) {
                complain_of_memory(&loader);
                return NULL;
        }
        load_all(&loader);
        if (complaints->errors == errors)
                return loader.contexts;
        tls_contexts_free(loader.contexts);
        return NULL;
}

void tls_contexts_free(void *pointer)
{
        struct tls_contexts *contexts = pointer;

        if (contexts == NULL)
                return;
        for (size_t i = 0; i < contexts->identity_count; i++)
                SSL_CTX_free(contexts->identities[i].context);
        for (size_t i = 0; i < contexts->certificate_count; i++)
                tls_certificate_release(contexts->certificates[i]);
        tls_names_end(&contexts->names);
        name_table_end(&contexts->files);
        OPENSSL_cleanse(&contexts->secrets, sizeof contexts->secrets);
        free(contexts->identities);
        free(contexts->certificates);
        free(contexts);
}

SSL *tls_contexts_new_ssl(const struct tls_contexts *contexts)
{
        SSL *ssl = SSL_new(contexts->identities[SERVER_NAME_DEFAULT].context);

        if (ssl == NULL)
                return NULL;
        if (SSL_set_ex_data(ssl, contexts_index, (void *)contexts) != 1) {
                SSL_free(ssl);
                return NULL;
        }
        return ssl;
}

void tls_contexts_use_tickets(const struct tls_contexts *contexts)
{
        if (contexts->settings.has_tickets)
                tls_tickets_use(contexts->tickets, &contexts->secrets, contexts->settings.ticket_lifetime_s,
                                (uint64_t)time(NULL));
}

size_t tls_contexts_shown(const struct tls_contexts *contexts, struct span name,
                          struct tls_certificate *ret_certificates[static TLS_KINDS_MAX])
{
        uint32_t number = SERVER_NAME_DEFAULT;

        tls_names_find(&contexts->names, name, &number);
        const struct tls_identity *identity = &contexts->identities[number];
        for (size_t i = 0; i < identity->count; i++)
                ret_certificates[i] = identity->certificates[i];
        return identity->count;
}

size_t tls_contexts_certificate_count(const struct tls_contexts *contexts)
{
        return contexts->certificate_count;
}

struct tls_certificate *tls_contexts_certificate(const struct tls_contexts *contexts, size_t index)
{
        return contexts->certificates[index];
}
