/* The same settings on both sides of a comparison, or it would compare settings. */
#include "bench/tls/context.h"

#include "bench/common.h"

#include <openssl/ssl.h>

#define CIPHERS                                                                                              \
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"           \
        "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define CIPHERS_1_3 "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define GROUPS      "X25519:P-256:P-384"
/* OpenSSL 3.5 and later; those before refuse the list. */
#define GROUPS_HYBRID "X25519MLKEM768:" GROUPS

bool tls_wishes_take(struct tls_wishes *wishes, struct span word)
{
        const struct {
                struct span word;
                bool *wish, value;
        } words[] = {
            {SPAN("1.2"), &wishes->is_1_2, true},         {SPAN("1.3"), &wishes->is_1_2, false},
            {SPAN("rsa"), &wishes->is_rsa, true},         {SPAN("ecdsa"), &wishes->is_rsa, false},
            {SPAN("resumed"), &wishes->is_resumed, true}, {SPAN("full"), &wishes->is_resumed, false},
        };

        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
                if (span_equals(words[i].word, word)) {
                        *words[i].wish = words[i].value;
                        return true;
                }
        return false;
}

static void set_common(SSL_CTX *context)
{
        if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
            SSL_CTX_set_cipher_list(context, CIPHERS) != 1 ||
            SSL_CTX_set_ciphersuites(context, CIPHERS_1_3) != 1 ||
            (SSL_CTX_set1_groups_list(context, GROUPS_HYBRID) != 1 &&
             SSL_CTX_set1_groups_list(context, GROUPS) != 1))
                bench_fail("OpenSSL has not the ciphers or groups of the bench");
        SSL_CTX_set_security_level(context, 2);
        SSL_CTX_set_options(context,
                            SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
        SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

static void show(SSL_CTX *context, const char *folder, const char *name)
{
        char path[600];

        snprintf(path, sizeof path, "%s/%s", folder, name);
        if (SSL_CTX_use_certificate_file(context, path, SSL_FILETYPE_PEM) != 1 ||
            SSL_CTX_use_PrivateKey_file(context, path, SSL_FILETYPE_PEM) != 1)
                bench_fail("cannot use the certificate of %s", path);
}

SSL_CTX *tls_server_context(const char *folder)
{
        SSL_CTX *context = SSL_CTX_new(TLS_server_method());

        expect(context != NULL);
        set_common(context);
        show(context, folder, "ecdsa.pem");
        show(context, folder, "rsa.pem");
        SSL_CTX_set_num_tickets(context, 1);
        SSL_CTX_set_session_id_context(context, (const unsigned char *)"floor", 5);
        return context;
}

SSL_CTX *tls_client_context(const struct tls_wishes *wishes)
{
        SSL_CTX *context = SSL_CTX_new(TLS_client_method());
        int version = wishes->is_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION;

        expect(context != NULL);
        set_common(context);
        SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
        if (SSL_CTX_set_min_proto_version(context, version) != 1 ||
            SSL_CTX_set_max_proto_version(context, version) != 1 ||
            SSL_CTX_set1_sigalgs_list(context, wishes->is_rsa ? "rsa_pss_rsae_sha256:RSA+SHA256"
                                                              : "ECDSA+SHA256") != 1)
                bench_fail("OpenSSL cannot be the client that the workload wants");
        return context;
}
