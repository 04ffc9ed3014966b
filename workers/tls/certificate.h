/* A certificate with what leads to its root, and its private key, from their files. */
#pragma once

#include "conf/complaints.h"
#include "workers/tls/file.h"

#include <openssl/x509.h>
#include <stdatomic.h>
#include <time.h>

#define TLS_NAMES_MAX 1000 /* names of one certificate that are looked at */

struct tls_certificate {
        char *path, *key_path; /* equal in text where one file holds both */
        struct file_identity identity, key_identity;
        X509 *leaf;
        STACK_OF(X509) * chain; /* behind the leaf, in the order of the file */
        EVP_PKEY *key;
        char kind[48]; /* "ECDSA P-256", "RSA 2048" */
        time_t begins, ends;
        /* DNS names of its SANs (RFC 6125 6.4), in lower case; "*.example.org" among them. */
        char **names;
        size_t name_count, name_room;
        /* Of the contexts that use it. A reload that a stop has left behind goes on making some, while the main thread
         * frees those of former snapshots. */
        _Atomic unsigned references;
        bool is_told; /* the log has it; owner: the publisher */
};

/* True when both files are as they were for `certificate`; then nothing needs to be read. Complains when one of them
 * cannot be opened, or is no secret; then it is an error, whatever this returns. */
bool tls_certificate_is_current(const struct tls_certificate *certificate,
                                struct conf_complaints *complaints);
/* Reads both files. NULL with complaints when they do not hold a certificate and the key that fits it. The result has
 * one reference. */
struct tls_certificate *tls_certificate_read(const char *path, const char *key_path,
                                             struct conf_complaints *complaints);
/* Takes one reference more. Any thread, like the next. */
void tls_certificate_hold(struct tls_certificate *certificate);
/* Gives one reference back. */
void tls_certificate_release(struct tls_certificate *certificate);

/* Whole days until it ends; 0: less than one, or it has ended. */
unsigned tls_certificate_days_left(const struct tls_certificate *certificate, time_t now);
/* Appends its names, with ", " between them, as many as fit. */
void tls_certificate_put_names(const struct tls_certificate *certificate, struct text *text);
