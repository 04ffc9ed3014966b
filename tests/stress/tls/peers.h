/* Both ends of TLS in one thread: a stream of ours with its buffers, and OpenSSL as the client. */
#pragma once

#include "core/base/expect.h"
#include "workers/tls/stream.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

struct tls_peer {
        struct tls_stream *stream;
        SSL *client;
        BIO *to_client, *from_client;
};

/* Contexts with a certificate of P-256 that is made here. */
SSL_CTX *tls_peers_server(int version);
SSL_CTX *tls_peers_client(int version);
/* A certificate of at least so many octets, with its key, for this context. */
void tls_peers_certify(SSL_CTX *context, size_t octets);

/* The client's end; ours is the caller's to make. */
void tls_peer_begin(struct tls_peer *peer, SSL_CTX *client);
void tls_peer_end(struct tls_peer *peer);
/* What the client has to say now, in a buffer of its own, at most TLS_INPUT_MAX octets. */
struct span tls_peer_said(struct tls_peer *peer);
/* Takes what ours has said to the client. */
void tls_peer_hear(struct tls_peer *peer, struct tls_buffers *buffers);
/* Both shake hands until it is over. */
enum tls_progress tls_peer_shake(struct tls_peer *peer, struct tls_buffers *buffers);
