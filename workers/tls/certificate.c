/* From PEM files to a certificate and its key. No passphrase is ever asked for: nobody is there to give it. */
#include "workers/tls/certificate.h"

#include "conf/text/access.h"
#include "core/base/text.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#define CHAIN_MAX 16 /* certificates of one file */
#define DAY_S     86400

static void complain(struct conf_complaints *complaints, const char *path, const char *fault)
{
        conf_complain(complaints, COMPLAINT_ERROR, &(struct place){path, 0}, "%s", fault);
}

/* A file cannot be opened or read. */
static void complain_of_file(struct conf_complaints *complaints, const char *path, const char *fault)
{
        char denied[ACCESS_TEXT_MAX];

        conf_complain(complaints, COMPLAINT_ERROR, &(struct place){path, 0}, "%s%s", fault,
                      access_denied(path, R_OK, denied));
}

/* The reason of the last error, in a constant. */
static const char *last_reason(const char *otherwise)
{
        const char *reason = ERR_reason_error_string(ERR_peek_last_error());
        return reason == NULL ? otherwise : reason;
}

/* ---- texts ---------------------------------------------------------------------------------------------- */

#define BLOCK_BEGIN "-----BEGIN "
#define BLOCK_END   "-----END "

static bool has(struct span text, struct span part)
{
        return memmem(text.at, text.length, part.at, part.length) != NULL;
}

/* True where the last block of PEM (RFC 7468) has no end: then `ret_label` is what its first line says of it, as far as
 * that goes, and `ret_number` counts certificates. */
static bool find_torn_block(struct span text, struct span *ret_label, unsigned *ret_number)
{
        const char *begin, *end, *dashes;
        unsigned certificates = 0;

        while ((begin = memmem(text.at, text.length, BLOCK_BEGIN, strlen(BLOCK_BEGIN))) != NULL) {
                text = span_skip(text, (size_t)(begin - text.at) + strlen(BLOCK_BEGIN));
                dashes = memmem(text.at, text.length, "-----", 5);
                *ret_label = dashes == NULL ? text : span_of(text.at, (size_t)(dashes - text.at));
                certificates += has(*ret_label, SPAN("CERT"));
                *ret_number = certificates;
                end = memmem(text.at, text.length, BLOCK_END, strlen(BLOCK_END));
                if (dashes == NULL || end == NULL)
                        return true;
                text = span_skip(text, (size_t)(end - text.at) + strlen(BLOCK_END));
                if (!has(text, SPAN("-----")))
                        return true;
        }
        return false;
}

/* A file that is copied while it is read, or a full disk, is told from one that was damaged otherwise. */
static bool complain_of_torn(struct conf_complaints *complaints, const char *path, struct span text)
{
        struct span label;
        unsigned number;

        if (!find_torn_block(text, &label, &number))
                return false;
        if (has(label, SPAN("CERT")))
                conf_complain(complaints, COMPLAINT_ERROR, &(struct place){path, 0},
                              "ends in the midst of certificate %u", number);
        else
                complain(complaints, path,
                         has(label, SPAN("KEY")) ? "ends in the midst of the private key"
                                                 : "ends in the midst of a block of PEM");
        return true;
}

/* ---- files --------------------------------------------------------------------------------------------- */

/* In one file with its key a certificate is as secret as that. */
static bool is_one_file(const char *path, const char *key_path)
{
        return strcmp(path, key_path) == 0;
}

static bool file_is_current(const char *path, bool is_secret, const struct file_identity *identity,
                            struct conf_complaints *complaints)
{
        struct secret_file file;
        const char *fault = secret_file_open(&file, path, is_secret);

        if (fault != NULL)
                complain_of_file(complaints, path, fault);
        secret_file_close(&file);
        return fault == NULL && file_identity_equals(&file.identity, identity);
}

bool tls_certificate_is_current(const struct tls_certificate *certificate, struct conf_complaints *complaints)
{
        bool is_secret = is_one_file(certificate->path, certificate->key_path);

        return file_is_current(certificate->path, is_secret, &certificate->identity, complaints) &&
               file_is_current(certificate->key_path, true, &certificate->key_identity, complaints);
}

/* ---- certificate --------------------------------------------------------------------------------------- */

static int ask_nobody(char *octets, int size, int is_writing, void *was_asked)
{
        (void)octets;
        (void)size;
        (void)is_writing;
        *(bool *)was_asked = true;
        return -1;
}

static bool has_end_of_file_come(void)
{
        return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

static void complain_of_damage(const struct tls_certificate *certificate, int number,
                               struct conf_complaints *complaints)
{
        conf_complain(complaints, COMPLAINT_ERROR, &(struct place){certificate->path, 0},
                      "certificate %d is damaged: %s", number, last_reason("it cannot be read"));
}

/* What stands behind the leaf. False with a complaint. */
static bool read_chain(struct tls_certificate *certificate, BIO *text, struct conf_complaints *complaints)
{
        bool was_asked = false;

        certificate->chain = sk_X509_new_null();
        for (X509 *next; (next = PEM_read_bio_X509(text, NULL, ask_nobody, &was_asked)) != NULL;)
                if (certificate->chain == NULL || sk_X509_num(certificate->chain) == CHAIN_MAX ||
                    sk_X509_push(certificate->chain, next) <= 0) {
                        X509_free(next);
                        complain(complaints, certificate->path, "holds too many certificates");
                        return false;
                }
        /* The end of the file is an error for the library, and the only one that is none. */
        if (has_end_of_file_come())
                return true;
        complain_of_damage(certificate, sk_X509_num(certificate->chain) + 2, complaints);
        return false;
}

static bool read_certificates(struct tls_certificate *certificate, struct span octets, BIO *text,
                              struct conf_complaints *complaints)
{
        bool was_asked = false;

        if (complain_of_torn(complaints, certificate->path, octets))
                return false;
        if (is_one_file(certificate->path, certificate->key_path) && !has(octets, SPAN("PRIVATE KEY-----"))) {
                complain(complaints, certificate->path,
                         "holds no private key, and no other file is set as its key (`key` in section tls, "
                         "`tls_key` in a domain)");
                return false;
        }
        certificate->leaf = PEM_read_bio_X509(text, NULL, ask_nobody, &was_asked);
        if (certificate->leaf != NULL)
                return read_chain(certificate, text, complaints);
        if (has_end_of_file_come())
                complain(complaints, certificate->path, "holds no certificate in PEM");
        else
                complain_of_damage(certificate, 1, complaints);
        return false;
}

static bool add_name(struct tls_certificate *certificate, struct span name)
{
        char *copy = malloc(name.length + 1);

        if (certificate->name_count == certificate->name_room) {
                size_t room = certificate->name_room == 0 ? 8 : 2 * certificate->name_room;
                char **names = reallocarray(certificate->names, room, sizeof *names);
                if (names != NULL) {
                        certificate->names = names;
                        certificate->name_room = room;
                }
        }
        if (copy == NULL || certificate->name_count == certificate->name_room) {
                free(copy);
                return false;
        }
        for (size_t i = 0; i < name.length; i++)
                copy[i] = ascii_lower(name.at[i]);
        copy[name.length] = '\0';
        certificate->names[certificate->name_count++] = copy;
        return true;
}

/* What no client can ask for is left out. */
static bool is_usable(struct span name)
{
        for (size_t i = 0; i < name.length; i++)
                if (name.at[i] <= ' ' || name.at[i] > '~')
                        return false;
        return name.length > 0 && name.length <= 255;
}

static bool read_names(struct tls_certificate *certificate)
{
        GENERAL_NAMES *names = X509_get_ext_d2i(certificate->leaf, NID_subject_alt_name, NULL, NULL);
        bool is_read = true;

        for (int i = 0; is_read && i < sk_GENERAL_NAME_num(names); i++) {
                const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
                if (name->type != GEN_DNS || certificate->name_count == TLS_NAMES_MAX)
                        continue;
                struct span span = span_of((const char *)ASN1_STRING_get0_data(name->d.dNSName),
                                           (size_t)ASN1_STRING_length(name->d.dNSName));
                is_read = !is_usable(span) || add_name(certificate, span);
        }
        GENERAL_NAMES_free(names);
        return is_read;
}

static bool read_time(const ASN1_TIME *time, time_t *ret_seconds)
{
        struct tm fields;

        if (ASN1_TIME_to_tm(time, &fields) != 1)
                return false;
        *ret_seconds = timegm(&fields);
        return true;
}

static void write_kind(struct tls_certificate *certificate)
{
        char group[32];
        EVP_PKEY *key = certificate->key;

        if (EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, group, sizeof group, NULL) == 1)
                snprintf(certificate->kind, sizeof certificate->kind, "ECDSA %s",
                         strcmp(group, "prime256v1") == 0  ? "P-256"
                         : strcmp(group, "secp384r1") == 0 ? "P-384"
                                                           : group);
        else if (EVP_PKEY_is_a(key, "RSA"))
                snprintf(certificate->kind, sizeof certificate->kind, "RSA %d", EVP_PKEY_get_bits(key));
        else
                snprintf(certificate->kind, sizeof certificate->kind, "%.40s", EVP_PKEY_get0_type_name(key));
}

/* ---- key ----------------------------------------------------------------------------------------------- */

static bool read_key(struct tls_certificate *certificate, struct span octets, BIO *text,
                     struct conf_complaints *complaints)
{
        bool was_asked = false;

        certificate->key = PEM_read_bio_PrivateKey(text, NULL, ask_nobody, &was_asked);
        if (certificate->key != NULL)
                return true;
        if (was_asked)
                complain(complaints, certificate->key_path,
                         "the key is encrypted, and nobody is asked for a passphrase; `openssl pkey -in FILE "
                         "-out NEWFILE` decrypts it");
        else if (!complain_of_torn(complaints, certificate->key_path, octets))
                complain(complaints, certificate->key_path,
                         has(octets, SPAN("PRIVATE KEY-----")) ? "the private key is damaged"
                                                               : "holds no private key in PEM");
        return false;
}

static bool is_key_fitting(const struct tls_certificate *certificate, struct conf_complaints *complaints)
{
        if (X509_check_private_key(certificate->leaf, certificate->key) == 1)
                return true;
        conf_complain(complaints, COMPLAINT_ERROR, &(struct place){certificate->key_path, 0},
                      "is not the key of %s", certificate->path);
        return false;
}

/* ---- both ---------------------------------------------------------------------------------------------- */

/* Reads one of the files by `parse`. False with a complaint. */
static bool read_file(struct tls_certificate *certificate, const char *path, bool is_secret,
                      struct file_identity *ret_identity,
                      bool (*parse)(struct tls_certificate *certificate, struct span octets, BIO *text,
                                    struct conf_complaints *complaints),
                      struct conf_complaints *complaints)
{
        struct secret_file file;
        char *octets = NULL;
        size_t length = 0;
        const char *fault = secret_file_open(&file, path, is_secret);

        if (fault == NULL) {
                *ret_identity = file.identity;
                fault = secret_file_read(&file, &octets, &length);
        }
        BIO *text = fault == NULL ? BIO_new_mem_buf(octets, (int)length) : NULL;
        if (text == NULL)
                complain_of_file(complaints, path, fault == NULL ? "out of memory" : fault);
        ERR_clear_error();
        bool is_read = text != NULL && parse(certificate, span_of(octets, length), text, complaints);
        ERR_clear_error();
        BIO_free(text);
        secret_octets_free(octets, length);
        return is_read;
}

static bool read_both(struct tls_certificate *certificate, struct conf_complaints *complaints)
{
        /* Whether a file of both is a secret is asked when it is known to hold a key. */
        if (!read_file(certificate, certificate->path, false, &certificate->identity, read_certificates,
                       complaints))
                return false;
        if (!read_time(X509_get0_notBefore(certificate->leaf), &certificate->begins) ||
            !read_time(X509_get0_notAfter(certificate->leaf), &certificate->ends) ||
            !read_names(certificate)) {
                complain(complaints, certificate->path, "names or times cannot be read");
                return false;
        }
        if (!read_file(certificate, certificate->key_path, true, &certificate->key_identity, read_key,
                       complaints) ||
            !is_key_fitting(certificate, complaints))
                return false;
        write_kind(certificate);
        return true;
}

struct tls_certificate *tls_certificate_read(const char *path, const char *key_path,
                                             struct conf_complaints *complaints)
{
        struct tls_certificate *certificate = calloc(1, sizeof *certificate);

        if (certificate == NULL) {
                complain(complaints, path, "out of memory");
                return NULL;
        }
        atomic_init(&certificate->references, 1);
        certificate->path = strdup(path);
        certificate->key_path = strdup(key_path);
        if (certificate->path == NULL || certificate->key_path == NULL)
                complain(complaints, path, "out of memory");
        else if (read_both(certificate, complaints))
                return certificate;
        tls_certificate_release(certificate);
        return NULL;
}

void tls_certificate_hold(struct tls_certificate *certificate)
{
        atomic_fetch_add(&certificate->references, 1);
}

void tls_certificate_release(struct tls_certificate *certificate)
{
        if (atomic_fetch_sub(&certificate->references, 1) > 1)
                return;
        for (size_t i = 0; i < certificate->name_count; i++)
                free(certificate->names[i]);
        free(certificate->names);
        X509_free(certificate->leaf);
        sk_X509_pop_free(certificate->chain, X509_free);
        EVP_PKEY_free(certificate->key);
        free(certificate->path);
        free(certificate->key_path);
        free(certificate);
}

unsigned tls_certificate_days_left(const struct tls_certificate *certificate, time_t now)
{
        return certificate->ends <= now ? 0 : (unsigned)((certificate->ends - now) / DAY_S);
}

void tls_certificate_put_names(const struct tls_certificate *certificate, struct text *text)
{
        for (size_t i = 0; i < certificate->name_count; i++) {
                if (text_room(text) < strlen(certificate->names[i]) + 2)
                        return;
                text_put_string(text, i == 0 ? "" : ", ");
                text_put_string(text, certificate->names[i]);
        }
}
