/* Both ends of TLS in one thread. */
#include "peers.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

void tls_peers_certify(SSL_CTX *context, size_t octets)
{
        EVP_PKEY *key = EVP_EC_gen("P-256");
        X509 *certificate = X509_new();
        char *comment = malloc(octets + 1);

        expect(key != NULL && certificate != NULL && comment != NULL);
        memset(comment, 'c', octets);
        comment[octets] = '\0';
        X509_set_version(certificate, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
        X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
        X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
        X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                                   (const unsigned char *)"mx1.isp.example", -1, -1, 0);
        X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
        X509_set_pubkey(certificate, key);
        if (octets > 0) {
                X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_netscape_comment, comment);
                expect(extension != NULL && X509_add_ext(certificate, extension, -1));
                X509_EXTENSION_free(extension);
        }
        expect(X509_sign(certificate, key, EVP_sha256()) > 0);
        expect(SSL_CTX_use_certificate(context, certificate) == 1);
        expect(SSL_CTX_use_PrivateKey(context, key) == 1);
        X509_free(certificate);
        EVP_PKEY_free(key);
        free(comment);
}

static SSL_CTX *context_of(const SSL_METHOD *method, int version)
{
        SSL_CTX *context = SSL_CTX_new(method);

        expect(context != NULL);
        SSL_CTX_set_min_proto_version(context, version);
        SSL_CTX_set_max_proto_version(context, version);
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
        return context;
}

static int take_any(int is_known, X509_STORE_CTX *store)
{
        (void)is_known;
        (void)store;
        return 1;
}

SSL_CTX *tls_peers_server(int version)
{
        SSL_CTX *context = context_of(TLS_server_method(), version);

        tls_peers_certify(context, 0);
        SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
        SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
#ifdef SSL_OP_NO_RX_CERTIFICATE_COMPRESSION
        SSL_CTX_set_options(context, SSL_OP_NO_RX_CERTIFICATE_COMPRESSION);
#endif
        SSL_CTX_set_num_tickets(context, 1);
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, take_any);
        SSL_CTX_set_session_id_context(context, (const unsigned char *)"test", 4);
        return context;
}

SSL_CTX *tls_peers_client(int version)
{
        return context_of(TLS_client_method(), version);
}

void tls_peer_begin(struct tls_peer *peer, SSL_CTX *client)
{
        *peer = (struct tls_peer){.client = SSL_new(client),
                                  .to_client = BIO_new(BIO_s_mem()),
                                  .from_client = BIO_new(BIO_s_mem())};
        expect(peer->client != NULL && peer->to_client != NULL && peer->from_client != NULL);
        SSL_set_bio(peer->client, peer->to_client, peer->from_client);
        SSL_set_connect_state(peer->client);
}

void tls_peer_end(struct tls_peer *peer)
{
        tls_stream_free(peer->stream);
        SSL_free(peer->client);
}

struct span tls_peer_said(struct tls_peer *peer)
{
        static char octets[TLS_INPUT_MAX];
        int length = BIO_read(peer->from_client, octets, sizeof octets);

        return span_of(octets, length < 0 ? 0 : (size_t)length);
}

void tls_peer_hear(struct tls_peer *peer, struct tls_buffers *buffers)
{
        struct span said = text_span(&buffers->output);

        if (said.length > 0)
                expect(BIO_write(peer->to_client, said.at, (int)said.length) == (int)said.length);
        buffers->output.length = 0;
}

enum tls_progress tls_peer_shake(struct tls_peer *peer, struct tls_buffers *buffers)
{
        enum tls_progress progress = TLS_WAITS;

        for (int i = 0; i < 10 && progress == TLS_WAITS; i++) {
                SSL_do_handshake(peer->client);
                progress = tls_stream_handshake(peer->stream, tls_peer_said(peer));
                tls_peer_hear(peer, buffers);
        }
        return progress;
}
