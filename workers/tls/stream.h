/* TLS of one connection (RFC 3207, RFC 5246, RFC 8446). It is given octets that came by the socket, and gives
 * octets for the socket, in buffers that its worker lends to the stream whose turn it is; the socket itself it
 * does not know. From one call to the next it keeps nothing but the part of a record that is not whole. It is a
 * server's or a client's, as its SSL is. Owner: one thread, as of the connection: a worker with clients, a hop thread
 * with next hops. */
#pragma once

#include "core/base/text.h"

#include <openssl/ssl.h>

/* Octets that may be given at a time. What they and an unended record of before hold fits into READ_SIZE. */
#define TLS_INPUT_MAX 49152

/* Of memory that OpenSSL takes for one server's stream, as tests/stress/tls/ measures it: in a handshake with a part of
 * a record, idle after it, and what a record that is not whole holds then besides. The two halves of the record layer
 * have had 4.3 KiB each of their own since OpenSSL 3.2. */
#define TLS_HANDSHAKE_SIZE ((size_t)74 << 10)
#if OPENSSL_VERSION_PREREQ(3, 2)
#define TLS_ESTABLISHED_SIZE ((size_t)21 << 10)
#else
#define TLS_ESTABLISHED_SIZE ((size_t)14 << 10)
#endif
#define TLS_RECORD_SIZE ((size_t)17 << 10)
/* Of the chain of a peer's certificates, which stays in memory; each octet of it costs so many. */
#define TLS_CHAIN_MAX    ((size_t)32 << 10)
#define TLS_CHAIN_FACTOR 3
/* How many octets, and records, a handshake may take of the peer. */
#define TLS_HANDSHAKE_OCTETS_MAX  ((size_t)96 << 10)
#define TLS_HANDSHAKE_RECORDS_MAX 1024

/* Each record costs one credit, and so many octets of use earn one; a message of the handshake's protocol, such as
 * KeyUpdate, costs more, because it derives keys. */
#define TLS_CREDIT_MAX        2048
#define TLS_OCTETS_PER_CREDIT 16
#define TLS_MESSAGE_COST      32

/* What the streams of a worker share. Owner: the worker. */
struct tls_buffers {
        char *input;        /* TLS_INPUT_MAX octets of room, for what the socket gives */
        struct span taken;  /* of these, what no record has taken yet; nothing from one call to the next */
        struct text output; /* for the socket, which is given it before the next connection has its turn */
};

enum __attribute__((packed)) tls_progress { TLS_WAITS, TLS_DONE, TLS_FAILED };

enum __attribute__((packed)) tls_end {
        TLS_OPEN,
        TLS_CLOSED, /* the peer has said close_notify */
        TLS_BROKEN, /* what came is no TLS, or too much of it is of no use */
};

struct tls_stream;

/* False when memory is out. */
bool tls_buffers_init(struct tls_buffers *buffers);
void tls_buffers_end(struct tls_buffers *buffers);

/* Takes `ssl` over, in any case; NULL is NULL. NULL when memory is out. */
struct tls_stream *tls_stream_create(SSL *ssl, struct tls_buffers *buffers);
void tls_stream_free(struct tls_stream *stream);

/* Goes on with the handshake. `input` lies in buffers->input, at most TLS_INPUT_MAX octets. After TLS_DONE octets
 * of the peer may lie behind its last message: tls_stream_open() is to be called before anything else. After
 * TLS_FAILED an alert may be in buffers->output. */
enum tls_progress tls_stream_handshake(struct tls_stream *stream, struct span input);
/* Opens the records that `input` makes whole, or without it those that lie behind the handshake, into `room`,
 * which has as much of it as READ_SIZE. Returns how many octets they held: there may be some before the end that
 * tls_stream_end() tells of. */
size_t tls_stream_open(struct tls_stream *stream, struct span input, char *room, size_t size);
/* Puts `octets` into buffers->output in records. False when the stream is broken, or breaks by it. */
bool tls_stream_seal(struct tls_stream *stream, struct span octets);
/* Puts close_notify there, where it has not been said and the peer could understand it. */
void tls_stream_close(struct tls_stream *stream);

bool tls_stream_is_established(const struct tls_stream *stream);
enum tls_end tls_stream_end(const struct tls_stream *stream);
/* Ends it for a reason of the caller's, a static text. */
void tls_stream_break(struct tls_stream *stream, const char *reason);
/* Why it has failed or is broken: a static text, of workers/tls/reasons.c mostly. */
const char *tls_stream_reason(const struct tls_stream *stream);
/* It has failed because OpenSSL got no memory: that says nothing of the peer. */
bool tls_stream_lacks_memory(const struct tls_stream *stream);
/* The highest version that a client has offered, a static text; "": unknown, or we are the client. */
const char *tls_stream_offered(const struct tls_stream *stream);
/* Octets of memory that count for it now. */
size_t tls_stream_size(const struct tls_stream *stream);
const SSL *tls_stream_ssl(const struct tls_stream *stream);
