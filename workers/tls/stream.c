/* Streams: an SSL object each, with a BIO that moves octets between it and the worker's buffers. */
#include "workers/tls/stream.h"

#include "workers/tls/hello.h"
#include "workers/tls/reasons.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>

/* What one turn of one connection may give: the replies of a full buffer in records, or our certificates. */
#define OUTPUT_SIZE ((size_t)192 << 10)

#define RECORD_LAYER_FAILURE 313 /* SSL_R_RECORD_LAYER_FAILURE, which older headers lack */

struct tls_stream {
        SSL *ssl;
        struct tls_buffers *buffers;
        const char *reason;  /* NULL: nothing has failed */
        const char *offered; /* "": not known */
        size_t chain_length; /* octets of the peer's certificates */
        size_t handshake_octets;
        int32_t credit; /* records that may come before some octets of use */
        uint32_t use;   /* octets that have not earned a credit yet */
        enum tls_end end;
        bool is_established;
        bool lacks_memory;
        struct tls_walk walk; /* in the handshake */
};

static bool is_server(const struct tls_stream *stream)
{
        return SSL_is_server(stream->ssl) == 1;
}

/* ---- octets for OpenSSL -------------------------------------------------------------------------------- */

static BIO_METHOD *method;
static pthread_once_t method_once = PTHREAD_ONCE_INIT;

/* Nothing more is given to a peer that has spent its credit: OpenSSL would go on with records of no use as long
 * as there are any. */
static int stream_bio_read(BIO *bio, char *room, int size)
{
        struct tls_stream *stream = BIO_get_data(bio);
        struct span *taken = &stream->buffers->taken;
        size_t length = taken->length < (size_t)size ? taken->length : (size_t)size;

        BIO_clear_retry_flags(bio);
        if (stream->credit < 0)
                return -1;
        if (length == 0) {
                BIO_set_retry_read(bio);
                return -1;
        }
        memcpy(room, taken->at, length);
        *taken = span_skip(*taken, length);
        return (int)length;
}

static int stream_bio_write(BIO *bio, const char *octets, int length)
{
        struct tls_stream *stream = BIO_get_data(bio);
        struct text *output = &stream->buffers->output;

        BIO_clear_retry_flags(bio);
        if (text_room(output) < (size_t)length)
                return -1;
        text_put(output, span_of(octets, (size_t)length));
        return length;
}

static long stream_bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
        (void)bio;
        (void)number;
        (void)pointer;
        return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static void method_make(void)
{
        method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "connection");
        if (method == NULL || !BIO_meth_set_read(method, stream_bio_read) ||
            !BIO_meth_set_write(method, stream_bio_write) || !BIO_meth_set_ctrl(method, stream_bio_ctrl)) {
                BIO_meth_free(method);
                method = NULL;
        }
}

/* ---- what comes ---------------------------------------------------------------------------------------- */

/* Of a resumed session the ticket brings the peer's certificate, and no message does. TLS 1.3 keeps it half as many
 * times again. */
static void note_resumption(struct tls_stream *stream)
{
        X509 *certificate = SSL_session_reused(stream->ssl) ? SSL_get0_peer_certificate(stream->ssl) : NULL;
        int length = certificate == NULL ? 0 : i2d_X509(certificate, NULL);

        if (length > 0)
                stream->chain_length = (size_t)length + (size_t)length / 2;
}

/* OpenSSL keeps the peer's share of the key exchange to the end, though nobody asks for it any more, and one of
 * ML-KEM holds 6 KiB. Whose type is set anew is empty. */
static void forget_key_share(SSL *ssl)
{
        EVP_PKEY *share;

        if (SSL_get_peer_tmp_key(ssl, &share) != 1)
                return;
        EVP_PKEY_set_type(share, EVP_PKEY_X25519);
        EVP_PKEY_free(share);
}

/* A message of the handshake's protocol has come, and is whole. */
static void note_message(struct tls_stream *stream, struct span message)
{
        if (message.length == 0)
                return;
        if (message.at[0] == SSL3_MT_CLIENT_HELLO && !stream->is_established)
                stream->offered = tls_hello_version(message);
        else if (message.at[0] == SSL3_MT_CERTIFICATE)
                stream->chain_length = message.length;
        if (stream->is_established)
                stream->credit -= TLS_MESSAGE_COST;
}

static void note_from_peer(int is_ours, int version, int content, const void *octets, size_t length, SSL *ssl,
                           void *argument)
{
        struct tls_stream *stream = argument;

        (void)version;
        (void)ssl;
        if (is_ours)
                return;
        if (content == SSL3_RT_HEADER)
                stream->credit--;
        else if (content == SSL3_RT_HANDSHAKE)
                note_message(stream, span_of(octets, length));
}

static void note_use(struct tls_stream *stream, size_t octets)
{
        stream->use += (uint32_t)octets;
        stream->credit += (int32_t)(stream->use / TLS_OCTETS_PER_CREDIT);
        stream->use %= TLS_OCTETS_PER_CREDIT;
        if (stream->credit > TLS_CREDIT_MAX)
                stream->credit = TLS_CREDIT_MAX;
}

/* ---- ends ---------------------------------------------------------------------------------------------- */

void tls_stream_break(struct tls_stream *stream, const char *reason)
{
        stream->end = TLS_BROKEN;
        stream->reason = reason;
}

/* Errors and failures of before are none of what comes now. */
static void forget_failures(void)
{
        ERR_clear_error();
        (void)tls_memory_has_failed();
}

/* Want of memory, whatever it has led to; else the last one that says why: since OpenSSL 3.2 there may be another
 * behind it, that the record layer has failed. */
static unsigned long cause_of_failure(void)
{
        unsigned long cause = 0, error;

        while ((error = ERR_get_error()) != 0) {
                if (ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE)
                        return error;
                if (error != ERR_PACK(ERR_LIB_SSL, 0, RECORD_LAYER_FAILURE))
                        cause = error;
        }
        return cause;
}

static bool is_failed_verification(unsigned long cause)
{
        return ERR_GET_LIB(cause) == ERR_LIB_SSL && ERR_GET_REASON(cause) == SSL_R_CERTIFICATE_VERIFY_FAILED;
}

/* The texts are static, but for the numbers of errors that OpenSSL has no words for. */
static const char *reason_of_failure(struct tls_stream *stream)
{
        unsigned long cause = cause_of_failure();
        const char *reason = tls_reason(cause, is_server(stream) ? REASON_OF_CLIENT : REASON_OF_HOP);

        stream->lacks_memory = tls_memory_has_failed() || ERR_GET_REASON(cause) == ERR_R_MALLOC_FAILURE;
        if (stream->credit < 0)
                return "too many records of little use";
        if (is_failed_verification(cause))
                return tls_verification_reason(SSL_get_verify_result(stream->ssl));
        return reason == NULL ? "no reason known" : reason;
}

/* An operation has returned `result`, which is none of success. True when it only wants more octets. */
static bool wants_more(struct tls_stream *stream, int result)
{
        switch (SSL_get_error(stream->ssl, result)) {
        case SSL_ERROR_WANT_READ:
                return true;
        case SSL_ERROR_ZERO_RETURN:
                stream->end = TLS_CLOSED;
                return false;
        default:
                tls_stream_break(stream, reason_of_failure(stream));
                return false;
        }
}

/* ---- from the connection ------------------------------------------------------------------------------- */

static enum tls_progress handshake_failed(struct tls_stream *stream)
{
        stream->buffers->taken = SPAN("");
        if (stream->end == TLS_CLOSED)
                stream->reason = "closed";
        return TLS_FAILED;
}

enum tls_progress tls_stream_handshake(struct tls_stream *stream, struct span input)
{
        stream->handshake_octets += input.length;
        if (!tls_walk(&stream->walk, input, SSL_version(stream->ssl) != TLS1_3_VERSION)) {
                tls_stream_break(stream, "a message is too long");
                return handshake_failed(stream);
        }
        forget_failures();
        stream->buffers->taken = input;
        /* It takes its role itself. SSL_set_accept_state() would, since OpenSSL 3.2, make the record
         * layer anew without telling when there is no memory for it, and SSL_set_bio() would crash. */
        int result = is_server(stream) ? SSL_accept(stream->ssl) : SSL_connect(stream->ssl);
        if (result == 1) {
                stream->is_established = true;
                stream->credit = TLS_CREDIT_MAX;
                note_resumption(stream);
                forget_key_share(stream->ssl);
                return TLS_DONE;
        }
        if (!wants_more(stream, result))
                return handshake_failed(stream);
        if (stream->handshake_octets > TLS_HANDSHAKE_OCTETS_MAX) {
                tls_stream_break(stream, "too many octets");
                return handshake_failed(stream);
        }
        return TLS_WAITS;
}

size_t tls_stream_open(struct tls_stream *stream, struct span input, char *room, size_t size)
{
        size_t length = 0, opened;

        if (input.length > 0)
                stream->buffers->taken = input;
        while (stream->end == TLS_OPEN && length < size) {
                ERR_clear_error();
                int result = SSL_read_ex(stream->ssl, room + length, size - length, &opened);
                if (result != 1 && wants_more(stream, result))
                        break;
                if (result != 1)
                        continue;
                length += opened;
                note_use(stream, opened);
        }
        stream->buffers->taken = SPAN("");
        return length;
}

bool tls_stream_seal(struct tls_stream *stream, struct span octets)
{
        size_t sealed;

        if (octets.length == 0)
                return true;
        ERR_clear_error();
        if (stream->end == TLS_BROKEN)
                return false;
        if (SSL_write_ex(stream->ssl, octets.at, octets.length, &sealed) == 1) {
                /* A server's replies are short, and a record each: what they answer is of use too. */
                if (!is_server(stream))
                        note_use(stream, octets.length);
                return true;
        }
        tls_stream_break(stream, reason_of_failure(stream));
        return false;
}

void tls_stream_close(struct tls_stream *stream)
{
        if (!stream->is_established || stream->end == TLS_BROKEN)
                return;
        ERR_clear_error();
        /* It says so once, and the peer's answer is not waited for. */
        if (!(SSL_get_shutdown(stream->ssl) & SSL_SENT_SHUTDOWN))
                SSL_shutdown(stream->ssl);
}

bool tls_stream_is_established(const struct tls_stream *stream)
{
        return stream->is_established;
}

enum tls_end tls_stream_end(const struct tls_stream *stream)
{
        return stream->end;
}

const char *tls_stream_reason(const struct tls_stream *stream)
{
        return stream->reason;
}

bool tls_stream_lacks_memory(const struct tls_stream *stream)
{
        return stream->lacks_memory;
}

const char *tls_stream_offered(const struct tls_stream *stream)
{
        return stream->offered;
}

size_t tls_stream_size(const struct tls_stream *stream)
{
        size_t size = TLS_HANDSHAKE_SIZE;

        if (stream->is_established) { /* a handshake that has failed may have left no record layer to ask */
                bool has_part = SSL_has_pending(stream->ssl) || SSL_rstate_string(stream->ssl)[1] == 'B';
                size = TLS_ESTABLISHED_SIZE + (has_part ? TLS_RECORD_SIZE : 0);
        }
        return size + stream->chain_length * TLS_CHAIN_FACTOR;
}

const SSL *tls_stream_ssl(const struct tls_stream *stream)
{
        return stream->ssl;
}

/* ---- life ---------------------------------------------------------------------------------------------- */

bool tls_buffers_init(struct tls_buffers *buffers)
{
        char *output = malloc(OUTPUT_SIZE);

        pthread_once(&method_once, method_make);
        *buffers = (struct tls_buffers){.input = malloc(TLS_INPUT_MAX)};
        text_over(&buffers->output, output, OUTPUT_SIZE);
        return buffers->input != NULL && output != NULL && method != NULL;
}

void tls_buffers_end(struct tls_buffers *buffers)
{
        free(buffers->input);
        free(buffers->output.at);
}

struct tls_stream *tls_stream_create(SSL *ssl, struct tls_buffers *buffers)
{
        struct tls_stream *stream = ssl == NULL ? NULL : malloc(sizeof *stream);
        BIO *bio = stream == NULL ? NULL : BIO_new(method);

        if (bio == NULL) {
                free(stream);
                SSL_free(ssl);
                return NULL;
        }
        *stream = (struct tls_stream){
            .ssl = ssl, .buffers = buffers, .offered = "", .credit = TLS_HANDSHAKE_RECORDS_MAX};
        BIO_set_data(bio, stream);
        BIO_set_init(bio, 1);
        SSL_set_bio(ssl, bio, bio);
        SSL_set_msg_callback(ssl, note_from_peer);
        SSL_set_msg_callback_arg(ssl, stream);
        SSL_set_max_cert_list(ssl, (long)TLS_CHAIN_MAX);
        return stream;
}

void tls_stream_free(struct tls_stream *stream)
{
        if (stream == NULL)
                return;
        SSL_free(stream->ssl);
        free(stream);
}
